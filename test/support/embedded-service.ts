import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { onTestFinished } from 'vitest';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../../src/data/embedded.ts';
import { createLog, type Logger } from '../../src/log.ts';

/** A process of its own that keeps an embedded PostgreSQL open until it is killed. */
export interface Service {
  process: ChildProcess;
  /** What it said first: the URL, or why there is none. */
  url: string | null;
  error: string | null;
}

const source = join(import.meta.dirname, '../../src');
const script = `
  const { openEmbeddedPostgres } = await import('${source}/data/embedded.ts');
  const { createLog } = await import('${source}/log.ts');
  const [directory, durable] = process.argv.slice(1);
  process.on('SIGINT', () => {});
  setInterval(() => {}, 1000);
  const answer = await openEmbeddedPostgres({ directory, log: createLog('silent'), durable: durable === 'true' })
    .then(({ url }) => ({ url, error: null }), error => ({ url: null, error: error.message }));
  console.log(JSON.stringify(answer));
`;

/** The folder that a test's server may live in; the test's end removes it and kills what runs there. */
export function makeDirectory(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'packshot-embedded-')));
  const directory = join(folder, 'postgres');
  onTestFinished(async () => {
    const pid = existsSync(pidFile(directory)) ? postmasterPid(directory) : null;
    if (pid) await kill(pid, 'SIGQUIT');
    rmSync(folder, { recursive: true, maxRetries: 5 });
  });
  return directory;
}

export interface OpenOptions {
  directory: string;
  log?: Logger;
  attach?: boolean;
  durable?: boolean;
}

/** Opens in this process; the test's end closes. */
export async function open(options: OpenOptions): Promise<EmbeddedPostgres> {
  const opened = await openEmbeddedPostgres({ log: createLog('silent'), durable: false, ...options });
  onTestFinished(() => opened.close());
  return opened;
}

export interface ServiceOptions extends SpawnOptions {
  /** The program to start it through, with its arguments. */
  wrapper?: string[];
  durable?: boolean;
}

/** Starts the process without waiting for its answer; the test's end kills it. */
export function spawnService(directory: string, options: ServiceOptions = {}): ChildProcess {
  const { wrapper = [], durable = false, ...rest } = options;
  const [program = process.execPath, ...args] = [...wrapper, process.execPath];
  const child = spawn(
    program,
    [...args, '--input-type=module', '--eval', script, directory, String(durable)],
    {
      ...rest,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  onTestFinished(async () => {
    if (child.pid && isRunning(child.pid)) await kill(child.pid);
  });
  return child;
}

export async function startService(directory: string, options: ServiceOptions = {}): Promise<Service> {
  const child = spawnService(directory, options);
  if (!child.stdout) throw new Error('the service has no output');
  const [line] = await once(createInterface(child.stdout), 'line');
  return { process: child, ...JSON.parse(line) };
}

/** One statement on a connection of its own. */
export async function query(url: string | null, statement: string): Promise<postgres.Row[]> {
  const sql = postgres(url ?? '', { max: 1, connect_timeout: 2, onnotice: () => {} });
  try {
    return await sql.unsafe(statement);
  } finally {
    await sql.end({ timeout: 0 });
  }
}

/** Kills a process that need not be a child, and waits for its end. */
export async function kill(pid: number | undefined, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (pid === undefined) throw new Error('there is no process to kill');
  process.kill(pid, signal);
  await waitUntil(() => !isRunning(pid));
}

/** What has ended but waits for its parent to notice (on Linux "Z") does not run. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not so within ${timeoutMs} ms: ${condition}`);
    await sleep(20);
  }
}

export function postmasterPid(directory: string): number {
  return Number(readFileSync(pidFile(directory), 'utf8').split('\n')[0]);
}

export const pidFile = (directory: string) => join(directory, 'cluster/data/postmaster.pid');
