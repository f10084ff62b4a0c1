import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, openApp } from '../../src/app.ts';
import { parseConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { findChromium, openTestBrowser, type TestBrowser } from '../support/browser.ts';

const chromium = findChromium('the test of the contact sheet in a browser');

describe.skipIf(!chromium)('the contact sheet in a browser', () => {
  let directory: string;
  let app: App;
  let browser: TestBrowser;
  let page: Page;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'packshot-test-'));
    app = await openApp(parseConfig({ PORT: '0', DATA_DIR: directory }), { log: createLog('silent') });
    browser = await openTestBrowser(chromium ?? '');
    page = browser.page;
    await page.addInitScript(watchShifts);
    // Pictures come late, so that what moves when they come is seen to move.
    await page.route('**/images/**', async route => {
      await sleep(300);
      await route.continue();
    });
    await page.goto(`${app.url}/sheet`, { waitUntil: 'domcontentloaded' });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await app?.close();
    await rm(directory, { recursive: true });
  });

  test('has room for each picture, and its ThumbHash, before it comes', async () => {
    const rooms = await page.evaluate(() =>
      [...document.images].map(({ width, height, style, naturalWidth }) => ({
        isThere: naturalWidth > 0,
        hasRoom: width > 40 && height > 10,
        isPainted: style.backgroundImage.startsWith('url("data:image/png;base64,'),
      })),
    );
    expect(rooms).toHaveLength(58);
    expect(rooms.filter(({ isThere }) => !isThere).length).toBeGreaterThan(40);
    expect(rooms.every(({ hasRoom, isPainted }) => hasRoom && isPainted)).toBe(true);
  });

  test('shows every picture in the end, in a format of today and no larger than it is shown', {
    timeout: 90_000,
  }, async () => {
    await scrollThrough(page);
    await expect
      .poll(
        () => page.evaluate(() => [...document.images].filter(image => image.naturalWidth === 0).length),
        {
          timeout: 60_000,
        },
      )
      .toBe(0);
    const widths = await page.evaluate(() => [...document.images].map(image => image.naturalWidth));
    expect(Math.max(...widths)).toBeLessThanOrEqual(193);
    const shown = await page.evaluate(() => [...document.images].map(image => image.currentSrc));
    const [first = ''] = shown;
    const response = await fetch(first, { headers: { accept: 'image/avif,image/webp,*/*' } });
    expect(response.headers.get('content-type')).toBe('image/avif');
  });

  test('shifts nothing while pictures come', async () => {
    expect(await page.evaluate(() => Reflect.get(window, 'shifts'))).toEqual([]);
    // The observer tells when something does shift.
    await page.evaluate(() => scrollTo(0, 0));
    await sleep(200);
    await page.evaluate(() => {
      const block = document.createElement('p');
      block.style.height = '300px';
      document.body.prepend(block);
    });
    await expect.poll(() => page.evaluate(() => Reflect.get(window, 'shifts').length)).toBeGreaterThan(0);
  });

  test('asks no host but the service, and writes no error to the console', () => {
    expect(browser.requests.filter(address => new URL(address).origin !== app.url)).toEqual([]);
    expect(browser.problems).toEqual([]);
  });
});

function watchShifts(): void {
  const shifts: number[] = [];
  Reflect.set(window, 'shifts', shifts);
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) shifts.push(Reflect.get(entry, 'value'));
  }).observe({ type: 'layout-shift', buffered: true });
}

async function scrollThrough(page: Page): Promise<void> {
  const height = await page.evaluate(() => document.body.scrollHeight);
  for (let top = 0; top < height; top += 800) {
    await page.mouse.wheel(0, 800);
    await sleep(100);
  }
}
