import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { formatAddress } from '../../../src/rendering/address.ts';
import { findEncoding } from '../../../src/rendering/formats.ts';
import { createSigner } from '../../../src/rendering/signature.ts';
import { openDiskStorage } from '../../../src/storage/disk.ts';
import { originalKey } from '../../../src/storage/keys.ts';
import { exchange, findPort, startProgram, startService, stop } from '../processes.ts';
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
const connections = 8;

export async function openBareLoop(folder: string, atOnce: number): Promise<Contender> {
  const child = startBeside('bare-loop.ts', [folder, String(atOnce)]);
  return { make: async jobs => Number(await exchange(child, jobs)), stop: () => stop(child) };
}

/** Tuned to do no more than the others, or as those find it who follow its documentation. */
export async function openIpx(folder: string, setUp: 'tuned' | 'as documented'): Promise<Server> {
  const child = startBeside('ipx-server.ts', [folder, setUp]);
  const path = ({ original, width, format }: Job) =>
    `/w_${width},f_${format},q_${findEncoding(format).defaultQuality}/${originalName(original)}`;
  return serverOf(Number(await exchange(child)), path, () => stop(child));
}

export async function openStream(folder: string): Promise<{ port: number; stop(): Promise<void> }> {
  const child = startBeside('stream-server.ts', [folder]);
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
  const settings = { DATA_DIR: dataDirectory, SIGNING_KEYS: `bench:${secret}`, IMPORTING: 'off' };
  const child = startService({ ...settings, ...environment });
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

function startBeside(name: string, args: string[]): ChildProcess {
  // In a session of its own, as the service's renderer is; see low-priority.ts.
  return startProgram(join(import.meta.dirname, name), args, { detached: true });
}
