import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/data/database.ts';
import { sweepOriginals } from '../../src/gallery/sweep.ts';
import { openDiskStorage } from '../../src/storage/disk.ts';
import { originalKey } from '../../src/storage/keys.ts';
import { checkInvariants } from '../model/invariants.ts';
import { waitUntil } from '../support/embedded-service.ts';
import { hashOf } from '../support/import-service.ts';
import {
  findInstalledPostgres,
  type InstalledPostgres,
  openInstalledPostgres,
} from '../support/installed-postgres.ts';
import { type Installation, openInstallation, type Service } from '../support/process.ts';
import { openSourceServer, type SourceServer } from '../support/source-server.ts';
import { addPicture, deleteForGood, type Kept, keepWriting, type Writing } from './backup-writers.ts';

const programs = findInstalledPostgres('the test of backup and restore');
const root = join(import.meta.dirname, '../..');

/** The lines of the README's two blocks, each of which is a command. */
const [backupLines = [], restoreLines = []] = readBlocks('### Backup and restore');

function readBlocks(heading: string): string[][] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [, section = ''] = readme.split(`\n${heading}\n`);
  const [text = ''] = section.split(/^#+ /m);
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block.trim().split('\n'));
}

interface Done {
  line: string;
  exitCode: number;
  output: string;
}

/** One line in a shell, with PostgreSQL's tools and this Node on its PATH. */
function runLine(line: string, variables: Record<string, string>): Promise<Done> {
  const path = [programs ?? '', join(root, 'node_modules/.bin'), process.env.PATH ?? ''].join(delimiter);
  // npm would ask its registry for a newer npm.
  const env = { PATH: path, HOME: variables.HOME ?? '', NPM_CONFIG_UPDATE_NOTIFIER: 'false', ...variables };
  return new Promise(resolve => {
    execFile('sh', ['-c', line], { cwd: root, env, timeout: 60_000 }, (error, stdout, stderr) => {
      const exitCode = error ? Number(error.code ?? -1) : 0;
      resolve({ line, exitCode, output: stdout + stderr });
    });
  });
}

describe.skipIf(!programs)('a backup made by the lines of the README while images come and go', () => {
  let postgres: InstalledPostgres;
  let installation: Installation;
  let sources: SourceServer;
  let settings: Record<string, string>;
  let writing: Writing;
  const done: Done[] = [];
  /** There before; deleted for good between the dump and the last copy. */
  let early: Kept;
  /** Came between the first copy and the dump. */
  let middle: Kept;
  /** As `middle`, and deleted for good between the dump and the last copy. */
  let brief: Kept;
  /** Came after the dump. */
  let late: Kept;
  /** Of the writers' images those that were acknowledged before the dump. */
  let beforeDump: Kept[];
  let restored: Service;

  beforeAll(async () => {
    postgres = await openInstalledPostgres(programs ?? '');
    installation = await openInstallation();
    sources = await openSourceServer();
    settings = {
      DATABASE_URL: postgres.url,
      DATA_DIR: join(installation.folder, 'data'),
      BACKUP: join(installation.folder, 'backup'),
      HOME: installation.folder,
      SIGNING_KEYS: `main:${'k'.repeat(32)}`,
      IMPORTING: 'on',
      ALLOW_PRIVATE_SOURCES: 'on',
      DOWNLOAD_TIMEOUT_MS: '1000',
      IMPORT_LEASE_SECONDS: '2',
    };
    const service = await installation.start(settings);
    early = await addPicture(service, '1');
    writing = await keepWriting(service, sources);
    await writing.turns(40);
    await makeBackup(service);
    await writing.end();
    await service.stop();
    await restore();
  }, 110_000);

  afterAll(async () => {
    await writing?.end();
    await installation?.close();
    await Promise.all([postgres?.close(), sources?.close()]);
  });

  async function makeBackup(service: Service): Promise<void> {
    const [makeFolder = '', copy = '', dump = '', copyAgain = ''] = backupLines;
    for (const line of [makeFolder, copy]) done.push(await runLine(line, settings));
    [middle, brief] = [await addPicture(service, '1'), await addPicture(service, '1')];
    await writing.turns(40);
    beforeDump = writing.listLive();
    done.push(await runLine(dump, settings));
    await deleteForGood(service, [early.id, brief.id]);
    late = await addPicture(service, '1');
    await writing.turns(40);
    done.push(await runLine(copyAgain, settings));
  }

  async function restore(): Promise<void> {
    const database = new URL(postgres.url);
    database.pathname = '/packshot_restored';
    settings = {
      ...settings,
      DATABASE_URL: database.href,
      DATA_DIR: join(installation.folder, 'restored'),
    };
    for (const line of restoreLines) done.push(await runLine(line, settings));
    restored = await installation.start(settings);
  }

  /** What the last command of the restore says of a file and its images. */
  function listReported(): { key: string; ids: string[] }[] {
    const lines = done.at(-1)?.output.matchAll(/^(originals\S+) is missing; it is of the images (.*)$/gm);
    return [...(lines ?? [])].map(([, key = '', ids = '']) => ({ key, ids: ids.split(', ') }));
  }

  test('has no line that fails; the last tells that files are missing', () => {
    expect(done.map(({ line }) => line)).toEqual([...backupLines, ...restoreLines]);
    expect(done.slice(0, -1).filter(({ exitCode }) => exitCode !== 0)).toEqual([]);
    expect(done.at(-1)).toMatchObject({ line: expect.stringContaining('check-files'), exitCode: 2 });
  });

  test('misses only what came after the first copy and was deleted for good before the last', () => {
    const reported = listReported();
    expect(reported).toContainEqual({ key: originalKey(brief.hash, 'png'), ids: [brief.id] });
    const purged = new Set([...writing.purgedIds, brief.id]);
    expect(reported.flatMap(({ ids }) => ids.filter(id => !purged.has(id)))).toEqual([]);
  });

  test('holds what was deleted for good after the dump, and what came before it; nothing later', async () => {
    const { productImages } = await restored.query<{ productImages: { id: string }[] }>(
      'query ($ids: [ID!]!) { productImages: productImagesByIds(ids: $ids) { id } }',
      { ids: [early.id, middle.id, late.id] },
    );
    expect(productImages.map(image => image?.id ?? null)).toEqual([early.id, middle.id, null]);
  });

  test('hands out every picture at the addresses that were signed before', async () => {
    const live = new Set(writing.listLive());
    const kept = [early, middle, ...beforeDump.filter(image => live.has(image))];
    expect(kept.length).toBeGreaterThan(10);
    for (const { hash, paths } of kept) {
      const original = await fetch(restored.url + paths.original);
      expect([original.status, hashOf(await original.bytes())]).toEqual([200, hash]);
    }
    const small = await fetch(restored.url + middle.paths.small);
    expect(await sharp(await small.bytes()).metadata()).toMatchObject({ width: 20, height: 15 });
  });

  test('is whole once what is missing is deleted for good', async () => {
    await deleteForGood(
      restored,
      listReported().flatMap(({ ids }) => ids),
    );
    const check = restoreLines.at(-1) ?? '';
    expect(await runLine(check, settings)).toMatchObject({ exitCode: 0 });
    await waitUntil(async () => (await countUnsettled()) === 0, 20_000);
    const database = openDatabase(settings.DATABASE_URL ?? '', { maxConnections: 2 });
    const storage = await openDiskStorage(join(settings.DATA_DIR ?? '', 'files'));
    try {
      // The service leaves bytes of the last hour.
      await sweepOriginals(database.db, storage, new Date(Date.now() + 10_000));
      await checkInvariants({ query: restored.query, db: database.db, storage });
    } finally {
      await database.close();
    }
  }, 40_000);

  async function countUnsettled(): Promise<number> {
    const { imageCount } = await restored.query<{ imageCount: number }>(
      '{ imageCount(filter: { states: [IMPORTED, PENDING] }) }',
    );
    return imageCount;
  }
});
