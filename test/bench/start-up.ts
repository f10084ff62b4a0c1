import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { openEmbeddedPostgres } from '../../src/data/embedded.ts';
import { createLog } from '../../src/log.ts';
import { median } from './table.ts';

// `node test/bench/start-up.ts [ROUNDS]`, on Linux: how long `serve` takes until it is ready and how much memory it has
// then, from source and from the bundle, in turns; and what it starts for the first upload and rendition.

interface Measured {
  readyMs: number;
  idleMegabytes: number;
  /** Once there was an upload and a rendition: of the service and of each process that it started, by its program. */
  usedMegabytes: Record<string, number>;
}

const root = join(import.meta.dirname, '../..');
const rounds = Number(process.argv[2] ?? 5);
const idleMs = 3_000;

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const flags: string[] = scripts.serve.split(' ').filter((word: string) => word.startsWith('--'));

async function measure(program: string, environment: Record<string, string>): Promise<Measured> {
  const startedAt = performance.now();
  const args = [...flags, program, 'serve'];
  const child = spawn(process.execPath, args, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const url = await findUrl(child);
    while (!(await fetch(`${url}/ready`)).ok) await sleep(5);
    const readyMs = performance.now() - startedAt;
    await sleep(idleMs);
    const idleMegabytes = readMegabytes(child.pid ?? 0);
    await useOnce(url);
    return { readyMs, idleMegabytes, usedMegabytes: readAll(child.pid ?? 0) };
  } finally {
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    await ended;
  }
}

async function findUrl(child: ChildProcess): Promise<string> {
  const output = child.stdout;
  if (!output) throw new Error('the service has no output');
  let log = '';
  for await (const chunk of output.iterator({ destroyOnReturn: false })) {
    log += chunk;
    const url = /"graphql":"(http:[^"]+)\/graphql"/.exec(log)?.[1];
    if (!url) continue;
    output.resume();
    return url;
  }
  throw new Error(`the service ended: ${log}`);
}

async function useOnce(url: string): Promise<void> {
  const picture = { create: { width: 800, height: 600, channels: 3 as const, background: '#336699' } };
  const query = `mutation ($file: File!) { createProductImage(input: {productId: 1, source: {file: $file}}) {
    image { url(transform: {width: 400}) } userErrors { message } } }`;
  const form = new FormData();
  form.set('operations', JSON.stringify({ query, variables: { file: null } }));
  form.set('map', '{"0": ["variables.file"]}');
  form.set('0', new Blob([new Uint8Array(await sharp(picture).jpeg().toBuffer())]), 'picture.jpg');
  const headers = { 'graphql-require-preflight': '1' };
  const answer = await fetch(`${url}/graphql`, { method: 'POST', headers, body: form });
  const { data } = (await answer.json()) as { data: { createProductImage: { image: { url: string } } } };
  const rendition = await fetch(data.createProductImage.image.url);
  if (!rendition.ok) throw new Error(`the rendition answers ${rendition.status}`);
  await rendition.bytes();
}

function readAll(pid: number): Record<string, number> {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return Object.fromEntries(
    [pid, ...children.map(Number)].map(each => [nameOf(each), readMegabytes(each)] as const),
  );
}

function nameOf(pid: number): string {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return basename(words.find(word => /\.[jt]s$/.test(word)) ?? words[0] ?? '').replace(/\.[jt]s$/, '');
}

function readMegabytes(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_024;
}

function describe(name: string, all: readonly Measured[]): string {
  const range = (values: number[]) =>
    `${median(values).toFixed(0)} (${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)})`;
  const programs = Object.keys(all[0]?.usedMegabytes ?? {});
  const used = programs.map(each => `${each} ${range(all.map(one => one.usedMegabytes[each] ?? 0))}`);
  return [
    `${name}: ready after ${range(all.map(one => one.readyMs))} ms, idle ${range(all.map(one => one.idleMegabytes))} MB`,
    `  after an upload and a rendition, in MB: ${used.join(', ')}\n`,
  ].join('\n');
}

const folder = await mkdtemp(join(tmpdir(), 'packshot-start-up-'));
const postgres = await openEmbeddedPostgres({ directory: join(folder, 'postgres'), log: createLog('warn') });
try {
  execFileSync(process.execPath, [join(root, 'esbuild.config.ts'), join(folder, 'dist')]);
  const environment = { DATABASE_URL: postgres.url, PORT: '0', MALLOC_ARENA_MAX: '2' };
  const programs = { source: join(root, 'src/main.ts'), bundle: join(folder, 'dist/main.js') };
  const results: Record<string, Measured[]> = { source: [], bundle: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [name, program] of Object.entries(programs)) {
      const DATA_DIR = join(folder, `data-${name}-${round}`);
      results[name]?.push(await measure(program, { ...environment, DATA_DIR }));
    }
  }
  for (const [name, all] of Object.entries(results)) process.stdout.write(describe(name, all));
} finally {
  await postgres.close();
  await rm(folder, { recursive: true });
}
