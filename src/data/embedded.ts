import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log.ts';
import { type Cluster, databaseName, databaseUser, openCluster, readPassword } from './embedded-cluster.ts';
import {
  type DirectoryOwner,
  findOwner,
  hasCode,
  type OwnedDirectory,
  ownDirectory,
} from './embedded-owner.ts';
import { findPostgresPrograms } from './embedded-programs.ts';
import { PortTaken, startServer } from './embedded-server.ts';
import { keepRunning } from './embedded-supervisor.ts';

export interface EmbeddedPostgres {
  url: string;
  close(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Made when it is absent. All of it is this module's. */
  directory: string;
  log: Logger;
  /** False gives up safety against crashes for speed. */
  durable?: boolean;
  /**
   * Uses the server of another live service where one owns the directory; it ends when that service ends. `'only'`
   * waits for such a service, until `stop`, and never owns the directory: who runs for long would keep a service out.
   */
  attach?: boolean | 'only';
  stop?: AbortSignal;
}

// A process that was killed this moment holds its lock until the last of its threads has ended.
const ownTimeoutMs = 1_000;
const attachTimeoutMs = 60_000;
const maxPortTries = 20;
const waitMs = 50;
/** Of one second; both may have been started at once. */
const patientTries = 20;

/**
 * A PostgreSQL server of the service's own. It outlives Ctrl-C, is started again when it dies (the `url` stays
 * the same, also the next time where that can be), and ends with `close()`. Throws when another live service owns the
 * directory.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  mkdirSync(options.directory, { recursive: true, mode: 0o711 });
  const directory = realpathSync(options.directory);
  if (options.attach === 'only') return waitForOwner(directory, options);
  const deadline = performance.now() + (options.attach ? attachTimeoutMs : ownTimeoutMs);
  for (;;) {
    const owned = ownDirectory(directory);
    if (owned) return openOwned(owned, { ...options, directory });
    const owner = findOwner(directory);
    if (options.attach && owner?.port) return attach(directory, owner.port);
    if (performance.now() > deadline) throw describeConflict(directory, owner);
    await sleep(waitMs);
  }
}

async function waitForOwner(
  directory: string,
  { log, stop }: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  for (let tries = 1; ; tries++) {
    const owner = findOwner(directory);
    if (owner?.port) return attach(directory, owner.port);
    if (tries === patientTries)
      log.warn({ directory }, 'No service runs on this directory; one is waited for');
    await sleep(waitMs, undefined, { signal: stop });
  }
}

function attach(directory: string, port: number): EmbeddedPostgres {
  return { url: formatUrl(port, readPassword(directory)), close: async () => {} };
}

function describeConflict(directory: string, owner: DirectoryOwner | null): Error {
  const who = owner ? `process ${owner.pid}` : 'another process';
  return new Error(`${directory} is in use by ${who}; stop that one, or choose another directory`);
}

async function openOwned(owned: OwnedDirectory, options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const closing = new AbortController();
  const { signal } = closing;
  let running: Promise<void> | undefined;
  const close = async () => {
    closing.abort();
    await running;
    owned.release();
  };
  try {
    const cluster = await findCluster(options);
    const { server, port } = await startOnFreePort(cluster, options.directory, signal);
    running = keepRunning(server, {
      start: async () => {
        owned.check();
        return startServer(cluster, port, signal);
      },
      signal,
      log: options.log,
    });
    owned.announce(port);
    return { url: formatUrl(port, cluster.password), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function findCluster({ directory, log, durable = true }: EmbeddedPostgresOptions): Promise<Cluster> {
  const programs = await findPostgresPrograms(directory);
  return openCluster({ directory, programs, durable, log });
}

const firstPort = 15_000;
const endOfPorts = 32_000;

/**
 * On the port of the last time, which workers that attached then know, unless somebody else has it now. The range is
 * one that no system takes ports of outgoing connections from: ours is free again at a restart.
 */
async function startOnFreePort(cluster: Cluster, directory: string, signal: AbortSignal) {
  for (let tries = 0; ; tries++) {
    const port = (tries === 0 && readLastPort(directory)) || randomInt(firstPort, endOfPorts);
    try {
      const server = await startServer(cluster, port, signal);
      writeFileSync(join(directory, portFile), String(port));
      return { server, port };
    } catch (error) {
      if (!(error instanceof PortTaken) || tries === maxPortTries) throw error;
    }
  }
}

const portFile = 'last-port';

/** Null where there is none, or none that makes sense, as after a crash of the machine. */
function readLastPort(directory: string): number | null {
  try {
    const port = Number(readFileSync(join(directory, portFile), 'utf8'));
    return port >= firstPort && port < endOfPorts ? port : null;
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    return null;
  }
}

function formatUrl(port: number, password: string): string {
  return `postgres://${databaseUser}:${password}@127.0.0.1:${port}/${databaseName}`;
}
