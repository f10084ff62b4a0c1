import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { chromium, type Page } from 'playwright-core';

export interface TestBrowser {
  page: Page;
  /** Addresses that the page asked for, those it made itself (blob:, data:) left out. */
  requests: string[];
  /** Errors that the page threw or wrote to its console. */
  problems: string[];
  close(): Promise<void>;
}

const usualNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

const advice = `install Chromium (on Debian: apt-get install chromium), or name one in CHROMIUM`;

/**
 * The browser that CHROMIUM names, else one of a usual name on PATH. Null, with a line that says what is skipped, where
 * there is none; on CI, where nothing may be skipped, that is an error.
 */
export function findChromium(skipped: string): string | null {
  const found = process.env.CHROMIUM || usualNames.map(findOnPath).find(path => path !== null);
  if (found) return found;
  if (process.env.CI) throw new Error(`There is no browser for ${skipped}; ${advice}`);
  process.stderr.write(`Skipped: ${skipped}, for want of a browser; ${advice}\n`);
  return null;
}

function findOnPath(name: string): string | null {
  const paths = (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, name));
  return paths.find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A browser without a window, a past or a way off this machine, with one empty page. */
export async function openTestBrowser(executablePath: string): Promise<TestBrowser> {
  const home = await mkdtemp(join(tmpdir(), 'packshot-browser-'));
  const context = await chromium.launchPersistentContext(join(home, 'profile'), {
    executablePath,
    args: [
      '--no-sandbox', // It refuses to run as root otherwise.
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-proxy-server',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
    ],
    // Crash reports and caches go where they are removed again, not to the user's folders.
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: home },
    // Tall, for editors hold only those lines in the page that are to be seen.
    viewport: { width: 1440, height: 1800 },
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(15_000);
  const close = async () => {
    await context.close();
    await rm(home, { recursive: true, maxRetries: 5 });
  };
  return { page, ...watch(page), close };
}

function watch(page: Page): Pick<TestBrowser, 'requests' | 'problems'> {
  const requests: string[] = [];
  const problems: string[] = [];
  const isOwn = (address: string) => /^(blob|data):/.test(address);
  page.on('request', request => {
    if (!isOwn(request.url())) requests.push(request.url());
  });
  page.on('websocket', socket => requests.push(socket.url()));
  page.on('pageerror', error => problems.push(String(error)));
  page.on('console', message => {
    if (message.type() === 'error') problems.push(message.text());
  });
  return { requests, problems };
}
