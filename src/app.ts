import { resolve } from 'node:path';
import type { Config } from './config.ts';
import { type Database, openDatabase } from './data/database.ts';
import { openEmbeddedPostgres } from './data/embedded.ts';
import { migrateDatabase } from './data/migrate.ts';
import { collectFiles, startPurging } from './gallery/purge.ts';
import type { Context } from './graphql/context.ts';
import { createGraphQLServer } from './graphql/server.ts';
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

export interface App {
  url: string;
  db: Database;
  storage: Storage;
  /** Lets requests under way finish, then closes everything in reverse. */
  close(): Promise<void>;
}

const requestGraceMs = 10_000;

/** Opens what the configuration names, in the order in which one needs the other, and serves. */
export async function openApp(config: Config, overrides: Overrides = {}): Promise<App> {
  await using opening = new AsyncDisposableStack();
  const log = overrides.log ?? createLog(config.logLevel);
  const databaseServer = await openDatabaseServer(config, log, false);
  opening.defer(() => databaseServer.close());
  await migrateDatabase(databaseServer.url);
  const database = openDatabase(databaseServer.url, {
    maxConnections: config.databaseConnections,
    onStatement: overrides.onStatement,
  });
  opening.defer(() => database.close());
  const storage = await openStorageOf(config);
  opening.defer(() => storage.close());
  if (config.sample && !config.databaseUrl) await loadSample(database.db, storage, log, overrides.stop);
  overrides.stop?.throwIfAborted();
  const purging = startPurging(database.db, storage, config.purgeIntervalSeconds * 1_000, log);
  opening.defer(() => purging.close());
  const server = await serve(config, { database, storage, log });
  opening.defer(() => server.close(requestGraceMs));
  const opened = opening.move();
  return {
    url: publicUrlOf(config, server.port),
    db: database.db,
    storage,
    close: () => opened.disposeAsync(),
  };
}

/** The Postgres that the configuration names: an address, or the embedded server, also another service's if `attach`. */
export async function openDatabaseServer(
  config: Config,
  log: Logger,
  attach: boolean,
): Promise<{ url: string; close(): Promise<void> }> {
  if (config.databaseUrl) return { url: config.databaseUrl, close: async () => {} };
  return openEmbeddedPostgres({ directory: resolve(config.dataDirectory, 'postgres'), log, attach });
}

export function openStorageOf(config: Config): Promise<Storage> {
  return openStorage(config.storage, { directory: resolve(config.dataDirectory, 'files') });
}

/** The images are gone by then: bytes that cannot be removed now are left to the next purge. */
async function collectFilesNow(db: Database, storage: Storage, log: Logger): Promise<void> {
  try {
    await collectFiles(db, storage);
  } catch (error) {
    log.warn({ err: error }, 'Released files could not be removed; the next purge tries again');
  }
}

interface Resources {
  database: ReturnType<typeof openDatabase>;
  storage: Storage;
  log: Logger;
}

async function serve(config: Config, { database, storage, log }: Resources): Promise<Listening> {
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
        collectFiles: () => collectFilesNow(database.db, storage, log),
        publicUrl: publicUrlOf(config, server.port),
        corsOrigins: config.corsOrigins,
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

function publicUrlOf({ publicUrl, host }: Config, port: number): string {
  const name = host === '127.0.0.1' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return publicUrl ? publicUrl.replace(/\/+$/, '') : `http://${name}:${port}`;
}

function limitsOf({ maxGalleryImages, maxFrames, maxSwatches, ...limits }: Config): Context['limits'] {
  return { ...limits, maxImages: { GALLERY: maxGalleryImages, SPIN_360: maxFrames, SWATCH: maxSwatches } };
}
