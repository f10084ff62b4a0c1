import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatAddress } from '../../src/rendering/address.ts';
import { createSigner } from '../../src/rendering/signature.ts';
import { openDiskStorage } from '../../src/storage/disk.ts';
import { ask, type HttpAnswer, recipeOf } from '../support/image-server.ts';
import { type Installation, listTree, openInstallation, readPeakMegabytes } from '../support/process.ts';
import { createTestDatabase } from '../support/service.ts';
import { type StoredOriginal, storeLargeOriginals } from './large-originals.ts';

const secret = 'a-secret-for-many-large-originals';
const signer = createSigner([{ id: 'main', secret }]);
const encodings = ['jpeg', 'webp', 'avif', 'png'] as const;
/** Long enough for a good part to be made, so that every kind of original and of result is. */
const waitMs = 15_000;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let installation: Installation;
let originals: StoredOriginal[];
beforeAll(async () => {
  [database, installation] = await Promise.all([createTestDatabase(), openInstallation()]);
  originals = await storeLargeOriginals(await openDiskStorage(join(installation.dataDirectory, 'files')));
});
afterAll(async () => {
  await installation?.close();
  await database?.drop();
});

/** So many addresses of different renditions, of all originals by turns. */
function listAddresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const { hash = '', extension = 'jpg' } = originals[index % originals.length] ?? {};
    const [width, height] = index % 5 === 0 ? [1_280, 1_280] : [386, 513];
    const recipe = recipeOf(width - (index % 100), height, {
      focus: index % 2 === 0 ? { x: 400, y: 600 } : null,
      encoding: encodings[index % encodings.length] ?? 'jpeg',
    });
    return formatAddress({ kind: 'rendition', hash, extension, recipe }, signer);
  });
}

function count(answers: HttpAnswer[], is: (answer: HttpAnswer) => boolean): number {
  return answers.filter(is).length;
}

test.runIf(process.platform === 'linux')(
  'five hundred renditions of 25 megapixels at once cost less than 700 MB, and fail but by 503',
  { timeout: 90_000 },
  async () => {
    const service = await installation.start({
      DATABASE_URL: database.url,
      SIGNING_KEYS: `main:${secret}`,
      RENDER_WAIT_MS: String(waitMs),
    });
    const port = Number(new URL(service.url).port);
    const addresses = new Set(listAddresses(500));
    const asked = Promise.all([...addresses].map(address => ask(port, address)));
    await sleep(1_000);
    const startedAt = performance.now();
    await service.query('{ imageCount }');
    const answeredInMs = performance.now() - startedAt;
    const answers = await asked;
    // The sum of the most that each process had, which they need not have had at one time.
    const megabytes = listTree(service.pid).reduce((sum, pid) => sum + readPeakMegabytes(pid), 0);

    const made = count(answers, ({ status }) => status === 200);
    const refused = count(
      answers,
      ({ status, headers }) => status === 503 && Number(headers['retry-after']) >= 1,
    );
    if (process.env.LARGE_ORIGINALS) {
      process.stdout.write(`${JSON.stringify({ made, refused, megabytes, answeredInMs })}\n`);
    }
    expect(addresses.size).toBe(500);
    expect(made + refused).toBe(500);
    expect(made).toBeGreaterThanOrEqual(originals.length);
    expect(megabytes).toBeLessThan(700);
    expect(answeredInMs).toBeLessThan(2_000);
    await service.stop();
  },
);
