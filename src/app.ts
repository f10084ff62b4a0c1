import { resolve } from 'node:path';
import type { Config } from './config.ts';
import { type Database, openDatabase } from './data/database.ts';
import { openEmbeddedPostgres } from './data/embedded.ts';
import { migrateDatabase } from './data/migrate.ts';
import { collectFiles, startPurging } from './gallery/purge.ts';
import type { Context } from './graphql/context.ts';
import { createGraphQLServer } from './graphql/server.ts';
import { createIntake, type Intake } from './importing/intake.ts';
import { startWorker, type Worker } from './importing/worker.ts';
import { type Listening, listen } from './listen.ts';
import { createLog, type Logger } from './log.ts';
import { createImageHandler } from './rendering/serve.ts';
import { createRequestHandler } from './routes.ts';
import { loadSample } from './sample/load.ts';
import { openStorage } from './storage/open-storage.ts';
import type { Storage } from './storage/storage.ts';

/** What tests look at or replace. */
export interface Overrides {
  log?: Logger;
  onStatement?: (text: string) => void;
  /** Breaks off the opening; what was opened by then is closed again. */
  stop?: AbortSignal;
}

/** What every command works with; closed in reverse when the stack is. */
export interface Resources {
  database: ReturnType<typeof openDatabase>;
  storage: Storage;
  log: Logger;
}

export interface App {
  url: string;
  db: Database;
  storage: Storage;
  /** Lets requests under way finish, then closes everything in reverse. */
  close(): Promise<void>;
}

const requestGraceMs = 10_000;
const importPollMs = 500;

/** Opens what the configuration names, in the order in which one needs the other, and serves. */
export async function openApp(config: Config, overrides: Overrides = {}): Promise<App> {
  await using opening = new AsyncDisposableStack();
  const resources = await openResources(config, opening, overrides, false);
  const { database, storage, log } = resources;
  if (config.sample && !config.databaseUrl) await loadSample(database.db, storage, log, overrides.stop);
  overrides.stop?.throwIfAborted();
  const purging = startPurging(database.db, storage, config.purgeIntervalSeconds * 1_000, log);
  opening.defer(() => purging.close());
  const worker = config.importing ? openWorker(config, resources) : null;
  opening.defer(() => worker?.close());
  const server = await serve(config, resources, worker);
  opening.defer(() => server.close(requestGraceMs));
  const opened = opening.move();
  return {
    url: publicUrlOf(config, server.port),
    db: database.db,
    storage,
    close: () => opened.disposeAsync(),
  };
}

/** The database, brought up to date, and the storage. `attach` uses the embedded Postgres of a running service too. */
export async function openResources(
  config: Config,
  opening: AsyncDisposableStack,
  overrides: Overrides,
  attach: boolean,
): Promise<Resources> {
  const log = overrides.log ?? createLog(config.logLevel);
  const server = await openDatabaseServer(config, log, attach);
  opening.defer(() => server.close());
  await migrateDatabase(server.url);
  const database = openDatabase(server.url, {
    maxConnections: config.databaseConnections,
    onStatement: overrides.onStatement,
  });
  opening.defer(() => database.close());
  const storage = await openStorage(config.storage, { directory: resolve(config.dataDirectory, 'files') });
  opening.defer(() => storage.close());
  return { database, storage, log };
}

async function openDatabaseServer(
  config: Config,
  log: Logger,
  attach: boolean,
): Promise<{ url: string; close(): Promise<void> }> {
  if (config.databaseUrl) return { url: config.databaseUrl, close: async () => {} };
  return openEmbeddedPostgres({ directory: resolve(config.dataDirectory, 'postgres'), log, attach });
}

/** Imports what is due until it is closed. */
export function openWorker(config: Config, { database, storage, log }: Resources): Worker {
  if (config.allowPrivateSources) {
    log.warn(
      'ALLOW_PRIVATE_SOURCES is on: images are fetched from private networks too; for development only',
    );
  }
  return startWorker({
    db: database.db,
    storage,
    log,
    rules: {
      allowedPorts: config.allowPrivateSources ? 'any' : config.sourcePorts,
      allowLoopback: config.allowPrivateSources,
      allowPrivate: config.allowPrivateSources,
    },
    imageLimits: imageLimitsOf(config),
    maxBytes: config.maxFileBytes,
    deadlineMs: config.downloadTimeoutMs,
    maxAttempts: config.maxImportAttempts,
    concurrency: config.importConcurrency,
    maxPerHost: config.maxDownloadsPerHost,
    leaseMs: config.importLeaseSeconds * 1_000,
    pollMs: importPollMs,
  });
}

async function serve(config: Config, resources: Resources, worker: Worker | null): Promise<Listening> {
  const { database, storage, log } = resources;
  // The address that images begin with holds the port, which is known only now where any free one is taken.
  const { promise: handler, resolve: setHandler } =
    Promise.withResolvers<ReturnType<typeof createRequestHandler>>();
  const server = await listen(
    async (request, response) => (await handler)(request, response),
    config.host,
    config.port,
  );
  setHandler(
    createRequestHandler({
      graphql: createGraphQLServer({
        db: database.db,
        limits: limitsOf(config),
        intake: openIntake(config, resources),
        wakeImporting: () => worker?.wake(),
        collectFiles: () => collectFilesNow(database.db, storage, log),
        publicUrl: publicUrlOf(config, server.port),
        corsOrigins: config.corsOrigins,
        multipart: {
          maxFileBytes: config.maxFileBytes,
          maxFiles: config.maxUploads,
          maxJsonBytes: maxJsonBytes,
        },
        log,
      }),
      images: createImageHandler(storage, log),
      checkReady: () => database.ping(),
      hasGraphiQL: config.graphiql,
      log,
    }),
  );
  return server;
}

export function openIntake(config: Config, { storage }: Resources): Intake {
  return createIntake({
    storage,
    imageLimits: imageLimitsOf(config),
    maxBytes: config.maxFileBytes,
    importDirectory: config.importDirectory || null,
  });
}

const maxJsonBytes = 4_000_000;

/** The images are gone by then: bytes that cannot be removed now are left to the next purge. */
async function collectFilesNow(db: Database, storage: Storage, log: Logger): Promise<void> {
  try {
    await collectFiles(db, storage);
  } catch (error) {
    log.warn({ err: error }, 'Released files could not be removed; the next purge tries again');
  }
}

export function publicUrlOf({ publicUrl, host }: Config, port: number): string {
  const name = host === '127.0.0.1' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return publicUrl ? publicUrl.replace(/\/+$/, '') : `http://${name}:${port}`;
}

function imageLimitsOf({ maxPixels, maxSide }: Config) {
  return { maxPixels, maxSide, timeoutMs: 10_000 };
}

export function limitsOf({ maxGalleryImages, maxFrames, maxSwatches, ...limits }: Config): Context['limits'] {
  return { ...limits, maxImages: { GALLERY: maxGalleryImages, SPIN_360: maxFrames, SWATCH: maxSwatches } };
}
