import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Config } from './config.ts';
import { type OpenDatabase, openDatabase } from './data/database.ts';
import { openEmbeddedPostgres } from './data/embedded.ts';
import { migrateDatabase } from './data/migrate.ts';
import { isUnavailability } from './data/unavailable.ts';
import { type Measurer, openMeasurer } from './importing/measurer.ts';
import { createLog, type Logger } from './log.ts';
import { openStorage } from './storage/open-storage.ts';
import type { Storage } from './storage/storage.ts';
import type { Watching } from './watching.ts';

/** What every command works with; closed in reverse when the stack is. */
export interface Resources {
  databaseUrl: string;
  /** For requests, which are refused when they would take long. */
  database: OpenDatabase;
  /** For work that nobody waits for, which must not take the connections of requests. */
  background: OpenDatabase;
  storage: Storage;
  measurer: Measurer;
  log: Logger;
}

export const openStorageOf = (config: Config) => openStorage(config.storage, { directory: filesOf(config) });
export const filesOf = ({ dataDirectory }: Config) => resolve(dataDirectory, 'files');

const inBackground = { maxConnections: 6, waitMs: 60_000, statementMs: 120_000 };

interface OpeningOptions {
  log?: Logger;
  onStatement?: (text: string) => void;
  /** Breaks off the waiting for the database. */
  stop?: AbortSignal;
  /** Uses the embedded Postgres of a running service too; `'only'` waits for one, until `stop`. */
  attaches?: boolean | 'only';
  /** Tries again while the database cannot be reached, until `stop`; else that is an error. */
  waitsForDatabase?: boolean;
  watching?: Watching;
}

/** The database, brought up to date, the storage, and what looks at images before they are stored. */
export async function openResources(
  config: Config,
  opening: AsyncDisposableStack,
  options: OpeningOptions = {},
): Promise<Resources> {
  const { onStatement, stop, watching, log = createLog(config.logLevel) } = options;
  const server = await openDatabaseServer(config, log, options);
  opening.defer(() => server.close());
  if (options.waitsForDatabase) await migrateOnceReachable(server.url, log, stop);
  else await migrateDatabase(server.url);
  const database = openDatabase(server.url, {
    maxConnections: config.databaseConnections,
    onStatement,
    ...watching?.ofPool('requests'),
  });
  opening.defer(() => database.close());
  const background = openDatabase(server.url, {
    ...inBackground,
    onStatement,
    ...watching?.ofPool('background'),
  });
  opening.defer(() => background.close());
  const storage = await openStorageOf(config);
  opening.defer(() => storage.close());
  const measurer = openMeasurer({ limits: imageLimitsOf(config), log });
  opening.defer(() => measurer.close());
  return { databaseUrl: server.url, database, background, storage, measurer, log };
}

const reachAgainMs = 500;

/** Brings the database up to date; one that cannot be reached is waited for, until `stop`. */
async function migrateOnceReachable(url: string, log: Logger, stop?: AbortSignal): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await migrateDatabase(url);
    } catch (error) {
      if (!isUnavailability(error)) throw error;
      if (tries === 1)
        log.warn({ err: error }, 'The database cannot be reached; it is tried again until it can');
      await setTimeout(reachAgainMs, undefined, { signal: stop });
    }
  }
}

/** The one that is set, or an embedded one in DATA_DIR. */
async function openDatabaseServer(
  config: Config,
  log: Logger,
  { attaches: attach, stop }: OpeningOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  if (config.databaseUrl) return { url: config.databaseUrl, close: async () => {} };
  return openEmbeddedPostgres({ directory: resolve(config.dataDirectory, 'postgres'), log, attach, stop });
}

function imageLimitsOf({ maxPixels, maxSide }: Config) {
  return { maxPixels, maxSide, timeoutMs: 10_000 };
}
