import { type ChildProcess, fork, type Serializable, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { formatAddress } from '../../../src/rendering/address.ts';
import { findEncoding } from '../../../src/rendering/formats.ts';
import { createSigner } from '../../../src/rendering/signature.ts';
import { openDiskStorage } from '../../../src/storage/disk.ts';
import { originalKey } from '../../../src/storage/keys.ts';
import { askAll } from './ask-all.ts';
import { type Job, originalName } from './job.ts';

/** Who makes renditions, in processes of its own. */
export interface Contender {
  /** Milliseconds for all of them. */
  make(jobs: Job[]): Promise<number>;
  stop(): Promise<void>;
}

export interface Server extends Contender {
  port: number;
  path(job: Job): string;
}

/** What each server is asked on. More than are made at a time, as when many ask. */
const connections = 4;

export async function openBareLoop(folder: string, atOnce: number): Promise<Contender> {
  const child = startProgram('bare-loop.ts', [folder, String(atOnce)]);
  return { make: async jobs => Number(await exchange(child, jobs)), stop: () => stop(child) };
}

/** Tuned to do no more than the others, or as those find it who follow its documentation. */
export async function openIpx(folder: string, setUp: 'tuned' | 'as documented'): Promise<Server> {
  const child = startProgram('ipx-server.ts', [folder, setUp]);
  const path = ({ original, width, format }: Job) =>
    `/w_${width},f_${format},q_${findEncoding(format).defaultQuality}/${originalName(original)}`;
  return serverOf(Number(await exchange(child)), path, () => stop(child));
}

export async function openStream(folder: string): Promise<{ port: number; stop(): Promise<void> }> {
  const child = startProgram('stream-server.ts', [folder]);
  return { port: Number(await exchange(child)), stop: () => stop(child) };
}

const secret = 'a-secret-for-benchmarks-and-for-no-more';
const signer = createSigner([{ id: 'bench', secret }]);

/** The whole service, as `npm run serve` starts it, with these originals in its storage. */
export async function openService(
  dataDirectory: string,
  originals: Buffer[],
  environment: Record<string, string> = {},
): Promise<Server> {
  const hashes = await storeOriginals(dataDirectory, originals);
  const child = startService({ DATA_DIR: dataDirectory, SIGNING_KEYS: `bench:${secret}`, ...environment });
  const path = ({ original, width, height, format }: Job) => {
    const recipe = { width, height, focus: null, quality: null, encoding: format, negotiated: false };
    return formatAddress(
      { kind: 'rendition', hash: hashes[original] ?? '', extension: 'jpg', recipe },
      signer,
    );
  };
  return serverOf(await findPort(child), path, () => stop(child));
}

function serverOf(port: number, path: Server['path'], stopServer: () => Promise<void>): Server {
  return { port, path, make: jobs => askAll(port, jobs.map(path), connections), stop: stopServer };
}

async function storeOriginals(dataDirectory: string, originals: Buffer[]): Promise<string[]> {
  const storage = await openDiskStorage(join(dataDirectory, 'files'));
  return Promise.all(
    originals.map(async bytes => {
      const hash = createHash('sha256').update(bytes).digest('hex');
      await storage.write(originalKey(hash, 'jpg'), bytes);
      return hash;
    }),
  );
}

const root = join(import.meta.dirname, '../../..');

function startService(environment: Record<string, string>): ChildProcess {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const words: string[] = scripts.serve.split(' ');
  const flags = words.slice(0, words.indexOf('src/main.ts')).filter(word => word.startsWith('--'));
  const assignments = words.filter(word => /^[A-Z_]+=/.test(word)).map(word => word.split('='));
  return spawn(process.execPath, [...flags, join(root, 'src/main.ts'), 'serve'], {
    env: { PORT: '0', IMPORTING: 'off', ...Object.fromEntries(assignments), ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Of the service, when it is ready. */
async function findPort(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error('The service has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const { graphql, images } = JSON.parse(line);
    if (!graphql && !images) continue;
    child.stdout.resume();
    return Number(new URL(graphql ?? images).port);
  }
  throw new Error('The service did not start');
}

function startProgram(name: string, args: string[]): ChildProcess {
  // In a session of its own, as the service's renderer is; see low-priority.ts.
  return fork(join(import.meta.dirname, name), args, { detached: true });
}

/** The next message of a process, after it was sent one. */
async function exchange(child: ChildProcess, message?: Serializable): Promise<unknown> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const answered = once(child, 'message', { signal });
  const ended = once(child, 'exit', { signal }).then(() =>
    Promise.reject(new Error(`${child.spawnargs[1]} has ended`)),
  );
  if (message !== undefined) child.send(message);
  try {
    const [answer] = await Promise.race([answered, ended]);
    return answer;
  } finally {
    // The one that lost the race waits no more.
    stopping.abort();
    await Promise.allSettled([answered, ended]);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}
