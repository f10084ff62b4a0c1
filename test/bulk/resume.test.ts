import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { countAll } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { findBrokenSets, importPath, readReport, writeBulkFile } from './bulk-files.ts';

const lineCount = 20_000;
/** Of 20,000 lines, one in a hundred. */
const refusedLines = Array.from({ length: lineCount / 100 }, (_, n) => n * 100 + 2);
const batchSize = 500;

let service: TestService;
let path: string;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

beforeEach(async () => {
  await service.db.execute('truncate images, image_counts, products, bulk_imports');
  const lines = Array.from({ length: lineCount }, (_, n) => {
    const source = n % 100 === 0 ? 'ftp://example.com/no' : `https://example.com/${n}.jpg`;
    return `${1 + (n >> 3)},${source},"line ${n}\nof ${lineCount}"\n`;
  });
  path = await writeBulkFile(`product_id,source,alt_text\n${lines.join('')}`);
});

function startImport(): { child: ChildProcess; told: Promise<[string, string]> } {
  const script = join(import.meta.dirname, 'import-process.ts');
  const args = [script, service.databaseUrl, path, String(batchSize)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: {} });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, told: Promise.all([text(child.stdout), text(child.stderr)]) };
}

/** Resolves once half of the file is written; fails where the import ends before. */
async function waitForHalf({ child }: { child: ChildProcess }): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const [row] = await service.db.execute<{ images: number }>(
      'select (added + refused)::int as images from bulk_imports',
    );
    if ((row?.images ?? 0) >= lineCount / 2) return;
    await sleep(10);
  }
  throw new Error('The import ended before half of the file was seen to be written');
}

async function expectEachLineOnce(): Promise<void> {
  const rows = await service.db.execute<{ name: string }>('select name from images order by id');
  const expected = Array.from({ length: lineCount }, (_, n) => `${n}.jpg`).filter((_, n) => n % 100 !== 0);
  expect(rows.map(row => row.name)).toEqual(expected);
  const report = await readReport(`${path}.refused.ndjson`);
  // A record takes two lines of the file.
  expect(report.map(({ line }) => line)).toEqual(refusedLines.map(line => 2 * line - 2));
  expect(await countAll(service)).toBe(expected.length);
  expect(await findBrokenSets(service)).toEqual([]);
  expect([...(await service.db.execute('select * from bulk_imports'))]).toEqual([]);
}

test('an import that is killed at half goes on where it stopped, each line once', {
  timeout: 40_000,
}, async () => {
  const first = startImport();
  await waitForHalf(first);
  first.child.kill('SIGKILL');
  await once(first.child, 'close');
  expect(await countAll(service)).toBeLessThan(lineCount * 0.9);
  const second = startImport();
  const [summary, told] = await second.told;
  expect(told).toMatch(/^Going on at line [12]\d{4}, where the import stopped\n/);
  expect(summary).toMatch(/^Done: added 19,800 images, 0 were there already, 200 were refused; see /);
  await expectEachLineOnce();
});

test('an import that is told to stop ends after a batch, and goes on likewise', async () => {
  const first = startImport();
  await waitForHalf(first);
  first.child.kill('SIGTERM');
  const [summary] = await first.told;
  expect(summary).toMatch(/^Stopped: added [\d,]+ images.*\nThe same command goes on from here\n$/s);
  const { added, refused } = await importPath(service, path, { batchSize });
  expect({ added, refused }).toEqual({ added: 19_800, refused: 200 });
  await expectEachLineOnce();
});

test('restart forgets how far it had come', async () => {
  const stopping = new AbortController();
  stopping.abort();
  expect(await importPath(service, path, { batchSize, stop: stopping.signal })).toMatchObject({
    isDone: false,
  });
  const first = startImport();
  await waitForHalf(first);
  first.child.kill('SIGKILL');
  await once(first.child, 'close');
  const { added, alreadyThere, refused, told } = await importPath(service, path, { restart: true });
  expect(told).not.toContain('Going on');
  expect({ both: added + alreadyThere, refused }).toEqual({ both: 19_800, refused: 200 });
  expect(alreadyThere).toBeGreaterThan(lineCount / 3);
  await expectEachLineOnce();
});

test('it does not go on without the report of what it refused before', async () => {
  const first = startImport();
  await waitForHalf(first);
  first.child.kill('SIGKILL');
  await once(first.child, 'close');
  await rm(`${path}.refused.ndjson`);
  const before = await countAll(service);
  await expect(importPath(service, path)).rejects.toThrow(
    /refused\.ndjson, is not there any more; put it back/,
  );
  expect(await countAll(service)).toBe(before);
});

test('of two imports of one file at once, one stops and nothing comes twice', async () => {
  const outcomes = await Promise.allSettled([
    importPath(service, path, { batchSize }),
    importPath(service, path, { batchSize, reportPath: `${path}.other` }),
  ]);
  const failed = outcomes.filter(outcome => outcome.status === 'rejected');
  expect(failed.map(({ reason }) => String(reason))).toEqual([
    'Error: Another process imports this file too; this one stops',
  ]);
  expect(await countAll(service)).toBe(19_800);
  expect(await findBrokenSets(service)).toEqual([]);
});
