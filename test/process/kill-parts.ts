import { onTestFinished } from 'vitest';
import { databaseName, databaseUser, readPassword } from '../../src/data/embedded-cluster.ts';
import { findOwner } from '../../src/data/embedded-owner.ts';
import {
  isRunning,
  kill,
  makeDirectory,
  postmasterPid,
  startService,
  waitUntil,
} from '../support/embedded-service.ts';
import { type Command, openInstallationForTest, type Service } from '../support/process.ts';

/** Something that can be killed by itself. */
export interface Part {
  name: string;
  kill(): Promise<void>;
  /** Settles when it does its work again. */
  start(): Promise<void>;
}

/** A service with what it works with, in processes of their own; the end of the test ends them. */
export interface Plant {
  parts: Part[];
  dataDirectory: string;
  /** Where the service is, or was before it was killed. */
  serviceUrl(): string;
  databaseUrl(): string;
}

export type Layout = 'embedded' | 'apart';

/**
 * `embedded`: the service owns Postgres and imports, beside a worker that attaches. `apart`: Postgres is elsewhere, and
 * only the worker imports.
 */
export function openPlant(layout: Layout, settings: Record<string, string>): Promise<Plant> {
  const all = { SAMPLE: 'off', ...settings };
  return layout === 'embedded' ? openEmbeddedPlant(all) : openPlantApart(all);
}

async function openEmbeddedPlant(settings: Record<string, string>): Promise<Plant> {
  const { dataDirectory, postgresDirectory, start, spawn } = await openInstallationForTest();
  const service = createPart('service', () => start({ ...settings, IMPORTING: 'on' }));
  const worker = createPart('worker', () => untilImporting(spawn(['work'], settings)));
  const databaseUrl = () => {
    const port = findOwner(postgresDirectory)?.port ?? 0;
    return `postgres://${databaseUser}:${readPassword(postgresDirectory)}@127.0.0.1:${port}/${databaseName}`;
  };
  await service.start();
  await worker.start();
  return {
    parts: [service, worker, createPostgresPart(postgresDirectory)],
    dataDirectory,
    serviceUrl: () => service.running().url,
    databaseUrl,
  };
}

async function openPlantApart(settings: Record<string, string>): Promise<Plant> {
  const directory = makeDirectory();
  const keeper = await startService(directory, { durable: true });
  const url = keeper.url ?? '';
  const { dataDirectory, start, spawn } = await openInstallationForTest();
  const environment = { ...settings, DATABASE_URL: url };
  const service = createPart('service', () => start({ ...environment, IMPORTING: 'off' }));
  const worker = createPart('worker', () => untilImporting(spawn(['work'], environment)));
  await service.start();
  await worker.start();
  return {
    parts: [service, worker, createPostgresPart(directory)],
    dataDirectory,
    serviceUrl: () => service.running().url,
    databaseUrl: () => url,
  };
}

async function untilImporting(worker: Command): Promise<Command> {
  await waitUntil(() => worker.hasLogged('Importing images') || !isRunning(worker.pid), 30_000);
  return worker;
}

function createPart<Running extends Command | Service>(
  name: string,
  start: () => Promise<Running>,
): Part & { running(): Running } {
  let current: Running | null = null;
  const running = () => {
    if (!current) throw new Error(`the ${name} was never started`);
    return current;
  };
  return {
    name,
    running,
    kill: () => kill(running().pid),
    async start() {
      current = await start();
    },
  };
}

/** Whoever owns it starts it again; where that one is dead too, the next owner does. */
function createPostgresPart(directory: string): Part {
  let killed = 0;
  return {
    name: 'postgres',
    async kill() {
      killed = postmasterPid(directory);
      await kill(killed);
    },
    start: () => waitUntil(() => isReplaced(directory, killed), 20_000),
  };
}

function isReplaced(directory: string, pid: number): boolean {
  try {
    return postmasterPid(directory) !== pid;
  } catch {
    return false;
  }
}

/** Asks until `look` does not fail, for half a minute at the most. */
export async function insist<Result>(what: string, look: () => Promise<Result>): Promise<Result> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`${what}: not within 30 s`, { cause: error });
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }
}

/** Opened for a test: closes with it. */
export function closeWithTest<Opened extends { close(): Promise<void> }>(opened: Opened): Opened {
  onTestFinished(() => opened.close());
  return opened;
}
