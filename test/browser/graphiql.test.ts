import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, openApp } from '../../src/app.ts';
import { parseConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { sampleTabs } from '../../src/sample/tabs.ts';
import { findChromium, openTestBrowser, type TestBrowser } from '../support/browser.ts';
import type { Answer } from '../support/service.ts';

const chromium = findChromium('the tests of GraphiQL in a browser');

const tabNames = sampleTabs.map(({ query }) => /^(?:query|mutation) (\w+)/m.exec(query)?.[1] ?? '');
const [firstTab = '', ...otherTabs] = tabNames;

describe.skipIf(!chromium)('GraphiQL in a browser', () => {
  let directory: string;
  let app: App;
  let browser: TestBrowser;
  let page: Page;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'packshot-test-'));
    const config = parseConfig({ PORT: '0', DATA_DIR: directory });
    app = await openApp(config, { log: createLog('silent') });
    browser = await openTestBrowser(chromium ?? '');
    page = browser.page;
    await page.goto(`${app.url}/`);
    await executeButton(page).waitFor();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await app?.close();
    await rm(directory, { recursive: true });
  });

  it('is where / leads', async () => {
    expect(page.url()).toBe(`${app.url}/graphql`);
    expect(await page.title()).toBe('Packshot');
  });

  it('opens with the tabs of the sample', async () => {
    expect(await page.locator('.graphiql-tab-button').allTextContents()).toEqual(tabNames);
    expect(await page.getByRole('tab', { selected: true }).textContent()).toContain(firstTab);
  });

  it('shows the images of the sofa when the first tab is run', async () => {
    await execute(page, firstTab);
    for (const view of ['front', 'side', 'back', 'detail']) {
      await resultPane(page).getByText(`"sofa-${view}.`).waitFor();
    }
  });

  it.each(otherTabs)('answers %s with data and without errors', async name => {
    const { data, errors } = await execute(page, name);
    expect(errors).toBeUndefined();
    expect(JSON.stringify(data)).not.toMatch(/"userErrors":\[\{/);
    for (const [field, value] of Object.entries(data)) {
      expect(value).not.toBeNull();
      await resultPane(page).getByText(`"${field}"`).waitFor();
    }
  });

  it('shows the picture of an address under the mouse', async () => {
    await execute(page, firstTab);
    await resultPane(page).locator('.detected-link').first().hover();
    const picture = page.locator(`img[src^="${app.url}/images/"]`);
    const readWidth = () => picture.evaluate(image => Reflect.get(image, 'naturalWidth'));
    await expect.poll(readWidth, { timeout: 10_000 }).toBe(1600);
    await executeButton(page).hover();
    await picture.waitFor({ state: 'detached' });
  });

  it('asks no host but the service', () => {
    const others = browser.requests.filter(address => new URL(address).origin !== app.url);
    expect(browser.requests).toContain(`${app.url}/graphql`);
    expect(others).toEqual([]);
  });

  it('writes no error to the console', () => {
    expect(browser.problems).toEqual([]);
  });
});

/** Runs a tab as a user does, and answers what the service answered. */
async function execute(page: Page, tabName: string): Promise<Answer<Record<string, unknown>>> {
  // By keyboard: a tab moves when it is pressed with the mouse, and loses a click that is too short.
  await page.locator(`.graphiql-tab-button[title="${tabName}"]`).press('Enter');
  // A moment after a change GraphiQL learns which operation to run, and a moment later it stores what is open.
  const storedTab = `JSON.parse(localStorage['graphiql:tabState'] ?? '{}').activeTabIndex`;
  await page.waitForFunction(`${storedTab} === ${tabNames.indexOf(tabName)}`);
  const answered = page.waitForResponse(
    response => response.request().postDataJSON()?.operationName === tabName,
  );
  await executeButton(page).click();
  return (await answered).json();
}

function executeButton(page: Page) {
  return page.locator('.graphiql-execute-button');
}

function resultPane(page: Page) {
  return page.getByRole('region', { name: 'Result Window' });
}
