import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sampleTabs } from '../../src/sample/tabs.ts';
import { findChromium, openTestBrowser, type TestBrowser } from '../support/browser.ts';
import { askAs, makeKey } from '../support/credentials.ts';
import { fill } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

const chromium = findChromium('the test of GraphiQL with an API key');

/** Of the tab that GraphiQL opens with, which asks for product 101. */
const [, operationName] = /^query (\w+)/m.exec(sampleTabs[0]?.query ?? '') ?? [];

describe.skipIf(!chromium)('GraphiQL of a service that wants a key', () => {
  let service: TestService;
  let browser: TestBrowser;
  let key: string;

  beforeAll(async () => {
    service = await openTestService({ GRAPHIQL: 'on' });
    await fill(service, '101', ['sofa.jpg']);
    key = await makeKey(service.db);
    // Running services learn of keys within five seconds.
    await vi.waitFor(async () => expect((await askAs(service, null, '{ imageCount }')).status).toBe(401), {
      timeout: 10_000,
      interval: 100,
    });
    browser = await openTestBrowser(chromium ?? '');
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });

  it('says that a credential is missing, and answers once the key is among the headers', async () => {
    const { page } = browser;
    await page.goto(`${service.url}/graphql`);
    expect(await run(page)).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    await page.getByRole('button', { name: 'Headers' }).click();
    await page.locator('.graphiql-editor-tool .monaco-editor:visible').click();
    await page.keyboard.insertText(JSON.stringify({ Authorization: `Bearer ${key}` }));
    await vi.waitFor(async () => expect(await run(page)).not.toHaveProperty('errors'), {
      timeout: 15_000,
      interval: 500,
    });
    await page.getByRole('region', { name: 'Result Window' }).getByText('"sofa.jpg"').first().waitFor();
  });
});

/** What the service answers to the tab that is open. */
async function run(page: Page): Promise<unknown> {
  const [answer] = await Promise.all([
    page.waitForResponse(response => isOfTab(response.request())),
    page.locator('.graphiql-execute-button').click(),
  ]);
  return answer.json();
}

function isOfTab(request: { postDataJSON(): { operationName?: string } | null }): boolean {
  return request.postDataJSON()?.operationName === operationName;
}
