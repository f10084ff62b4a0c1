import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { type App, openApp } from '../../src/app.ts';
import { parseConfig } from '../../src/config.ts';
import { openEmbeddedPostgres } from '../../src/data/embedded.ts';
import { migrateDatabase } from '../../src/data/migrate.ts';
import { createLog } from '../../src/log.ts';
import { createReads, deepEnding, oneImageName, type Read } from './growth-reads.ts';
import { median } from './table.ts';
import { fillVariedCatalogue } from './varied-catalogue.ts';

// What reads cost in catalogues of different sizes, in turn within one run: through the service over HTTP, one request
// at a time, and without GraphQL and HTTP.
//   --large          also 10,000,000 images, which take half an hour to fill in and some 15 GB
//   --images=N       only 10,000 and N, a multiple of 800
//   --rounds=N       requests of each kind to each catalogue
//   --only=TEXT      only reads whose names hold it
//   --directory=DIR  keeps the catalogues there for the next run

const { values: options } = parseArgs({
  options: {
    large: { type: 'boolean', default: false },
    images: { type: 'string' },
    rounds: { type: 'string', default: '60' },
    only: { type: 'string', default: '' },
    directory: { type: 'string' },
  },
});
const largest = options.images
  ? [Number(options.images)]
  : [1_000_000, ...(options.large ? [10_000_000] : [])];
const sizes = [10_000, ...largest];

interface Contender {
  size: number;
  app: App;
  reads: Map<string, Read>;
}

/** Medians in milliseconds of one read, by size of the catalogue. */
interface Figures {
  name: string;
  overHttp: Map<number, number>;
  bare: Map<number, number>;
}

async function openContender(serverUrl: string, folder: string, size: number): Promise<Contender> {
  const url = new URL(serverUrl);
  url.pathname = `/growth_${size}`;
  await fillOnce(serverUrl, url.href, size);
  const DATA_DIR = join(folder, `data-${size}`);
  const config = parseConfig({ PORT: '0', DATA_DIR, DATABASE_URL: url.href, IMPORTING: 'off' });
  const app = await openApp(config, { log: createLog('silent') });
  const reads = await createReads(app.db, size);
  return { size, app, reads: new Map(reads.map(read => [read.name, read])) };
}

/** What was filled in only in part is made anew. */
async function fillOnce(serverUrl: string, url: string, size: number): Promise<void> {
  const server = postgres(serverUrl, { max: 1, onnotice: () => {} });
  try {
    const found = await server`select 1 from pg_database where datname = ${`growth_${size}`}`;
    if (found.length > 0) return;
    const unfinished = `unfinished_${size}`;
    await server.unsafe(`drop database if exists ${unfinished}`);
    await server.unsafe(`create database ${unfinished}`);
    const fillUrl = new URL(url);
    fillUrl.pathname = `/${unfinished}`;
    await migrateDatabase(fillUrl.href);
    await fillVariedCatalogue(fillUrl.href, size);
    await server.unsafe(`alter database ${unfinished} rename to growth_${size}`);
  } finally {
    await server.end();
  }
}

async function ask({ app }: Contender, query: string): Promise<void> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const answer = (await response.json()) as { errors?: { message: string }[] };
  if (answer.errors) throw new Error(`${query}: ${answer.errors[0]?.message}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** Reads that are compared, in turn. */
async function measure(
  names: readonly string[],
  contenders: readonly Contender[],
  rounds: number,
): Promise<Figures[]> {
  const measured = names.map(name => ({
    name,
    overHttp: new Map<number, number[]>(),
    bare: new Map<number, number[]>(),
  }));
  const note = (times: Map<number, number[]>, size: number, ms: number) =>
    times.set(size, [...(times.get(size) ?? []), ms]);
  // The first requests of a kind make its plans and compile what they run; what counts is how it goes on.
  for (let round = -12; round < rounds; round++) {
    for (const contender of contenders) {
      for (const { name, overHttp, bare } of measured) {
        const read = contender.reads.get(name);
        if (!read) continue;
        const [ofHttp, ofBare] = [await timed(() => ask(contender, read.query())), await timed(read.run)];
        if (round < 0) continue;
        note(overHttp, contender.size, ofHttp);
        note(bare, contender.size, ofBare);
      }
    }
  }
  const medians = (times: Map<number, number[]>) =>
    new Map([...times].map(([size, all]) => [size, median(all)] as const));
  return measured.map(({ name, overHttp, bare }) => ({
    name,
    overHttp: medians(overHttp),
    bare: medians(bare),
  }));
}

/** What a read is compared with: of a page far inside, the first; of a count, one image by id. */
function findBase(name: string): string | null {
  if (name.endsWith(deepEnding)) return name.slice(0, -deepEnding.length);
  return name === 'imageCount' ? oneImageName : null;
}

const goalOfSize = 1.3;
const goalOfDepth = 1.2;
const goalOfCount = 1.5;

function formatRow({ name, overHttp, bare }: Figures, base: Figures | undefined): string {
  const smallest = sizes[0] ?? 0;
  const ratios = (times: Map<number, number>, baseOf: (size: number) => number | undefined) =>
    sizes.map(size => (times.get(size) ?? Number.NaN) / (baseOf(size) ?? Number.NaN));
  const show = (values: readonly number[]) => values.map(value => value.toFixed(2)).join(' / ');
  const bySize = ratios(overHttp, () => overHttp.get(smallest));
  const byBase = base ? ratios(overHttp, size => base.overHttp.get(size)) : [];
  const isCount = base?.name === oneImageName;
  const misses = [
    ...(bySize.some(ratio => ratio > goalOfSize) ? ['size'] : []),
    ...(byBase.some(ratio => ratio > (isCount ? goalOfCount : goalOfDepth))
      ? [isCount ? 'count' : 'depth']
      : []),
  ];
  const cells = [
    name,
    show([...overHttp.values()]),
    show([...bare.values()]),
    show(bySize),
    show(ratios(bare, () => bare.get(smallest))),
    show(byBase),
    misses.join(', '),
  ];
  return `| ${cells.join(' | ')} |`;
}

const folder = await mkdtemp(join(tmpdir(), 'packshot-growth-'));
const directory = join(options.directory ?? folder, 'postgres');
const server = await openEmbeddedPostgres({
  directory,
  log: createLog('warn'),
  durable: false,
  attach: true,
});
const contenders: Contender[] = [];
try {
  for (const size of sizes) contenders.push(await openContender(server.url, folder, size));
  const names = [...(contenders[0]?.reads.keys() ?? [])].filter(name => name.includes(options.only));
  process.stdout.write(
    `Sizes ${sizes.join(' / ')}; medians in ms, ratios to the smallest, and to the first page or to one image by id\n\n` +
      `| read | HTTP | bare | HTTP by size | bare by size | by depth | missed (size ${goalOfSize}, depth ${goalOfDepth}, count ${goalOfCount}) |\n|${' --- |'.repeat(7)}\n`,
  );
  const groups = Map.groupBy(names, name => findBase(name) ?? name);
  for (const [baseName, group] of groups) {
    const compared = [...new Set([baseName, ...group])];
    const [base, ...others] = await measure(compared, contenders, Number(options.rounds));
    if (base) process.stdout.write(`${formatRow(base, undefined)}\n`);
    for (const figures of others) process.stdout.write(`${formatRow(figures, base)}\n`);
  }
} finally {
  for (const { app } of contenders) await app.close();
  await server.close();
  await rm(folder, { recursive: true });
}
