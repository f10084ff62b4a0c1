import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/data/database.ts';
import { sweepOriginals } from '../../src/gallery/sweep.ts';
import { openDiskStorage } from '../../src/storage/disk.ts';
import { createHttpClient } from '../model/http-client.ts';
import { checkInvariants, type Inspected } from '../model/invariants.ts';
import { type ProductRows, readProducts } from '../model/rows.ts';
import { type Limits, pictureOf, pictures, settingsOf } from '../model/vocabulary.ts';
import { sendFiles } from '../support/import-service.ts';
import type { Answer } from '../support/service.ts';
import { openSourceServer, type SourceServer } from '../support/source-server.ts';
import { closeWithTest, insist, type Layout, openPlant, type Part, type Plant } from './kill-parts.ts';
import { createUploadWriter, Unanswered, type UploadWriter, Writer } from './kill-writers.ts';

// `npm run test:kills` makes 50 cycles; KILL_SEED repeats what was chosen, though not how processes took turns.
const cycleCount = Number(process.env.KILL_CYCLES ?? 4);
const firstSeed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000);

const limits: Limits = {
  ...{ GALLERY: 20, SPIN_360: 6, SWATCH: 4, ids: 12 },
  ...{ text: 10, description: 15, url: 100, name: 20 },
};
const writerCount = 8;
const firstUploadProduct = 900;
const uploadsEach = 10;
const layouts: Layout[] = ['apart', 'embedded'];

test.each(layouts)(
  'killed at random moments, a service whose Postgres is %s loses nothing acknowledged',
  {
    timeout: 90_000 + cycleCount * 15_000,
  },
  async layout => {
    const run = await openRun(layout, firstSeed);
    const told: string[] = [];
    try {
      for (let cycle = 0; cycle < Math.ceil(cycleCount / layouts.length); cycle++) {
        told.push(await runCycle(run));
        await checkRun(run);
      }
    } catch (error) {
      const story = [`KILL_SEED=${firstSeed} KILL_CYCLES=${cycleCount}`, ...told].join('\n');
      throw new Error(`${story}\n${error instanceof Error ? error.stack : error}`);
    }
    const sum = (count: (writer: Writer) => number) => run.writers.reduce((all, one) => all + count(one), 0);
    expect(sum(writer => writer.acknowledged)).toBeGreaterThan(10 * told.length);
    expect(run.uploads.hashes.length).toBeGreaterThan(0);
    if (process.env.KILL_CYCLES) {
      const figures = [
        sum(one => one.acknowledged),
        sum(one => one.unanswered),
        sum(one => one.doneUnanswered),
      ];
      process.stdout.write(`${layout}, seed ${firstSeed}: ${told.length} cycles; acknowledged, unanswered, `);
      process.stdout.write(`of them done: ${figures.join(', ')}; uploads ${run.uploads.hashes.length}\n`);
    }
  },
);

interface Run {
  plant: Plant;
  sources: SourceServer;
  writers: Writer[];
  uploads: UploadWriter;
  hashByPicture: Map<string, string>;
  random: () => number;
  /** When the last part was started again. */
  whole: number;
}

async function openRun(layout: Layout, seed: number): Promise<Run> {
  const sources = closeWithTest(await openSourceServer());
  const random = createRandom(seed);
  const hashByPicture = await fillSources(sources, random);
  const plant = await openPlant(layout, {
    ...settingsOf(limits),
    PURGE_INTERVAL_SECONDS: '1',
    DOWNLOAD_TIMEOUT_MS: '2000',
    IMPORT_LEASE_SECONDS: '4',
    ALLOW_PRIVATE_SOURCES: 'on',
  });
  const query = createQuery(plant, sources);
  const client = createHttpClient({ query } as Inspected);
  const readRows = (ids: readonly string[]) => insist('to read rows', () => readSettled(plant, sources, ids));
  const writers = Array.from({ length: writerCount }, (_, n) => {
    const writing = { client, readRows, limits, seed: seed + n };
    return new Writer(`w${n}`, [`${2 * n + 1}`, `${2 * n + 2}`], writing);
  });
  const uploads = createUploadWriter((n, bytes) => upload(plant, n, bytes), drawPicture);
  return { plant, sources, writers, uploads, hashByPicture, random, whole: performance.now() };
}

/** Of every picture of the vocabulary; they come slowly, and now and then not at first. */
async function fillSources(sources: SourceServer, random: () => number): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const [n, picture] of pictures.entries()) {
    const { bytes, hash } = await drawPicture(-1 - n);
    hashes.set(picture, hash);
    sources.put(`/${picture}.jpg`, response => {
      const isFailing = random() < 0.02;
      setTimeout(() => (isFailing ? response.writeHead(503).end() : response.end(bytes)), random() * 200);
    });
  }
  return hashes;
}

async function drawPicture(n: number): Promise<{ bytes: Buffer; hash: string }> {
  const background = { r: n & 255, g: (n >> 8) & 255, b: n < 0 ? 200 : 20 };
  const bytes = await sharp({ create: { width: 40, height: 30, channels: 3, background } })
    .withExif({ IFD0: { ImageDescription: `picture ${n}` } })
    .jpeg()
    .toBuffer();
  return { bytes, hash: createHash('sha256').update(bytes).digest('hex') };
}

const exampleOrigin = 'https://example.com/';
const otherExampleOrigin = 'HTTPS://EXAMPLE.com:443/';

/** The model's addresses are of a host that must not be asked. */
function createQuery(plant: Plant, sources: SourceServer): Inspected['query'] {
  const origins = [
    [exampleOrigin, sources.url('/')],
    [otherExampleOrigin, sources.url('/').replace('http', 'HTTP')],
  ] as const;
  const away = (text: string) => origins.reduce((said, [from, to]) => said.replaceAll(from, to), text);
  return async <Data>(document: string, variables?: object) => {
    const { status, text } = await post(plant, away(JSON.stringify({ query: document, variables })));
    if (status === 503) throw new Unanswered(`503: ${text.slice(0, 200)}`);
    const { data, errors } = JSON.parse(fromSources(text, sources)) as Answer<Data>;
    if (errors) throw new Error(`${status}: ${JSON.stringify(errors)}`);
    return data;
  };
}

function fromSources(text: string, sources: SourceServer): string {
  const here = sources.url('/');
  return text.replaceAll(here, exampleOrigin).replaceAll(here.replace('http', 'HTTP'), otherExampleOrigin);
}

async function post(plant: Plant, body: string): Promise<{ status: number; text: string }> {
  try {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${plant.serviceUrl()}/graphql`, { method: 'POST', headers, body });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    await sleep(20);
    throw new Unanswered(error instanceof Error ? String(error.cause ?? error) : String(error));
  }
}

const uploading = `mutation ($input: CreateProductImageInput!) {
  createProductImage(input: $input) { image { state contentHash } userErrors { message } } }`;

/** Answers the hash of what the service says that it has. */
async function upload(plant: Plant, n: number, bytes: Buffer): Promise<string> {
  const productId = String(firstUploadProduct + Math.floor(n / uploadsEach));
  const input = { productId, source: { file: null }, idempotencyKey: `upload-${n}` };
  const part = { name: `${n}.jpg`, bytes, path: 'variables.input.source.file' };
  const service = { url: plant.serviceUrl() };
  const { status, data, errors } = await sendFiles<{
    createProductImage: { image: { state: string; contentHash: string } | null; userErrors: object[] };
  }>(service, uploading, { input }, [part]).catch(error => {
    throw new Unanswered(String(error));
  });
  if (status === 503) throw new Unanswered('503');
  const { image, userErrors } = data?.createProductImage ?? { image: null, userErrors: [] };
  if (!image) throw new Error(`${status}: ${JSON.stringify({ errors, userErrors })}`);
  expect(image.state).toBe('UPLOADED');
  return image.contentHash;
}

/** Lets all write, kills some parts amid, starts them again, and lets all write a little longer. */
async function runCycle(run: Run): Promise<string> {
  const { plant, writers, uploads, random } = run;
  let isOver = false;
  const writing = [...writers, uploads].map(writer => writer.write(() => isOver));
  const failed = Promise.all(writing);
  const victims = chooseVictims(plant.parts, random);
  const plan = {
    afterMs: Math.round(200 + random() * 1_000),
    gapsMs: victims.map(() => Math.round(random() * 150)),
    downMs: Math.round(random() * 400),
    goOnMs: Math.round(100 + random() * 400),
  };
  const story = `killed ${victims.map(({ name }) => name).join(' and ')}, ${JSON.stringify(plan)}`;
  const killing = killAndRestart(run, victims, plan);
  // A writer that fails ends the cycle; one that waits for the service does not.
  await Promise.race([killing, failed]).catch(error => {
    isOver = true;
    throw new Error(`${story}: ${error}`);
  });
  isOver = true;
  await Promise.all([failed, killing]);
  return story;
}

interface Plan {
  afterMs: number;
  gapsMs: number[];
  downMs: number;
  goOnMs: number;
}

async function killAndRestart(run: Run, victims: readonly Part[], plan: Plan): Promise<void> {
  await sleep(plan.afterMs);
  for (const [n, victim] of victims.entries()) {
    await victim.kill();
    await sleep(plan.gapsMs[n]);
  }
  await sleep(plan.downMs);
  // The service first, which starts the Postgres that is its own.
  for (const { start } of run.plant.parts.filter(part => victims.includes(part))) await start();
  await insist('the service to be ready', () => checkReady(run.plant));
  run.whole = performance.now();
  await sleep(plan.goOnMs);
}

/** One, or several one after the other. */
function chooseVictims(parts: readonly Part[], random: () => number): Part[] {
  const shuffled = parts.toSorted(() => random() - 0.5);
  return shuffled.slice(0, 1 + Math.floor(random() * random() * parts.length));
}

async function checkReady(plant: Plant): Promise<void> {
  const { status } = await fetch(`${plant.serviceUrl()}/ready`);
  if (status !== 200) throw new Error(`/ready answers ${status}`);
}

async function withDatabase<Result>(
  plant: Plant,
  look: (db: Inspected['db']) => Promise<Result>,
): Promise<Result> {
  const database = openDatabase(plant.databaseUrl(), { maxConnections: 2 });
  try {
    return await look(database.db);
  } finally {
    await database.close();
  }
}

async function readSettled(plant: Plant, sources: SourceServer, ids: readonly string[]) {
  await checkReady(plant);
  const rows = await withDatabase(plant, db => readProducts(db, ids));
  return JSON.parse(fromSources(JSON.stringify(rows), sources)) as ProductRows[];
}

/** At rest: all writers have ended, and all parts run. */
async function checkRun(run: Run): Promise<void> {
  const { plant, sources, writers } = run;
  for (const writer of writers) writer.check(await readSettled(plant, sources, writer.productIds));
  const storage = await openDiskStorage(join(plant.dataDirectory, 'files'));
  await withDatabase(plant, async db => {
    await untilImported(db, run.whole);
    await checkImported(db, run);
    await checkUploads(db, run.uploads);
    // What was killed between bytes and row left bytes, which an hour makes nobody's.
    await sweepOriginals(db, storage, new Date(Date.now() + 10_000));
    await checkInvariants({ db, storage, query: createQuery(plant, sources) });
  });
}

const promisedMs = 60_000;

async function untilImported(db: Inspected['db'], since: number): Promise<void> {
  for (;;) {
    const waiting = await db.execute(`
      select id, state, attempts, import_due_at, now() as now, failure_code from images where import_due_at is not null
        and (deleted_at is null or import_claim is not null and import_due_at > now())`);
    if (waiting.length === 0) return;
    if (performance.now() - since > promisedMs) expect(waiting).toEqual([]);
    await sleep(100);
  }
}

async function checkImported(db: Inspected['db'], { sources, hashByPicture }: Run): Promise<void> {
  const images = await db.execute<{ id: string; url: string; state: string; hash: string; failure: string }>(`
    select id, source_url as url, state, encode(file_hash, 'hex') as hash, failure_code as failure
    from images where deleted_at is null and source_url is not null`);
  const found = images.map(({ id, state, hash, failure }) => ({ id, state, hash, failure }));
  const expected = images.map(({ id, url }) => {
    const hash = hashByPicture.get(pictureOf(fromSources(url, sources)) ?? '');
    return { id, state: 'UPLOADED', hash, failure: null };
  });
  expect(found).toEqual(expected);
}

async function checkUploads(db: Inspected['db'], { hashes }: UploadWriter): Promise<void> {
  const images = await db.execute<{ state: string; hash: string }>(`
    select state, encode(file_hash, 'hex') as hash from images where product_id >= ${firstUploadProduct} order by product_id, position`);
  expect(images.map(({ state, hash }) => `${state} ${hash}`)).toEqual(hashes.map(hash => `UPLOADED ${hash}`));
}

/** Mulberry32: the same numbers for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
