import { resolve } from 'node:path';
import type { Authentication } from './access/authenticate.ts';
import { type Config, parseSigningKeys } from './config.ts';
import { checkExposure, createAuthenticationOf } from './credentials.ts';
import { openChangeFeed } from './data/change-feed.ts';
import type { Database } from './data/database.ts';
import { collectFiles, startPurging } from './gallery/purge.ts';
import type { Addresses, Context } from './graphql/context.ts';
import {
  createAskApi,
  createGraphQLServer,
  type GraphQLOptions,
  type GraphQLServer,
  graphqlPath,
} from './graphql/server.ts';
import type { TrustedOptions } from './graphql/trusted-documents.ts';
import { readTrustedDocuments } from './graphql/trusted-manifest.ts';
import { startSweepingUploads } from './graphql/upload-folders.ts';
import type { Environment } from './imaging/decoder-environment.ts';
import { createIntake, type Intake } from './importing/intake.ts';
import { startWorker, type Worker } from './importing/worker.ts';
import { keepAliveMs, listen } from './listen.ts';
import { createLog, type Logger } from './log.ts';
import { createOverload } from './overload.ts';
import { createReadiness, partsOf } from './readiness.ts';
import { createAddressWriters, formatAddress } from './rendering/address.ts';
import { type Images, type ImagesOptions, openImages, openKeptRenditions } from './rendering/open-images.ts';
import { createSigner, type Signer } from './rendering/signature.ts';
import { keepSigningKeys } from './rendering/signing-keys.ts';
import { filesOf, openResources, type Resources } from './resources.ts';
import { createRequestHandler, createStartingHandler } from './routes.ts';
import { loadSample } from './sample/load.ts';
import { createSheetHandler } from './sheet/serve-sheet.ts';
import type { Storage } from './storage/storage.ts';
import { openWatching, sourcesOf, type Watching } from './watching.ts';
import type { AnswerWhole } from './whole-posts.ts';

/** What tests look at or replace. */
export interface Overrides {
  /** Variables that the process was started with; none unless told. */
  environment?: Environment;
  log?: Logger;
  onStatement?: (text: string) => void;
  authentication?: Authentication;
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

export const requestGraceMs = 10_000;
const importPollMs = 500;
const overloadLimits = { path: graphqlPath, maxWaitMs: 500, alwaysTaken: 100 };

/**
 * Opens what the configuration names, in the order in which one needs the other, and serves. The port is taken first;
 * until all is open, also while a database that is elsewhere cannot be reached, requests are asked to come back.
 */
export async function openApp(config: Config, overrides: Overrides = {}): Promise<App> {
  await using opening = new AsyncDisposableStack();
  const { environment = {}, log = createLog(config.logLevel) } = overrides;
  let handler = createStartingHandler();
  let answerWhole: AnswerWhole = () => null;
  const watching = await openWatching(config, log);
  opening.defer(() => watching.close());
  const watched = watching.watchRequests((...exchange) => handler(...exchange));
  const overload = createOverload({
    ...overloadLimits,
    onRefusedEarly: watching.onRefusedEarly,
    answerWhole: watching.watchWholePosts(post => answerWhole(post)),
  });
  const server = await listen(watched, config.host, config.port, { onServer: overload.watch });
  opening.defer(() => server.close(0));
  const trusted = await openTrusted(config, log);
  const resources = await openResources(config, opening, {
    ...overrides,
    log,
    waitsForDatabase: true,
    watching,
  });
  const { database, background } = resources;
  const authentication = overrides.authentication ?? createAuthenticationOf(config, database.db);
  await checkExposure(config, authentication, log);
  const signer = await openSigner(config);
  const images =
    config.serve === 'all'
      ? openImagesOf(config, { environment, storage: resources.storage, signer, log, watch: watching })
      : null;
  const renditions = images ?? openKeptRenditionsOf(config, log);
  opening.defer(() => renditions.close());
  const storage = renditions.follow(resources.storage);
  if (config.sample && !config.databaseUrl) await loadSample(background.db, storage, log, overrides.stop);
  overrides.stop?.throwIfAborted();
  const purging = startPurging(background.db, storage, config.purgeIntervalSeconds * 1_000, log);
  opening.defer(() => purging.close());
  const worker = config.importing ? openWorker(config, resources, watching) : null;
  opening.defer(() => worker?.close());
  const sweeping = startSweepingUploads();
  opening.defer(() => sweeping.close());
  const addresses = createAddresses(config, signer, server.port);
  const changes = openChangeFeed({ ...config, url: resources.databaseUrl, db: database.db, log });
  const { onOperation } = watching;
  const parts = { authentication, addresses, changes, trusted, onOperation };
  const graphql = openGraphQL(config, { ...resources, storage }, worker, parts);
  const readiness = createReadiness(partsOf({ database, storage, worker }));
  watching.follow({ ...sourcesOf({ ...resources, images, worker }), subscribers: changes.countSubscribers });
  handler = createRequestHandler({
    graphql: overload.limit(graphql.answer),
    sheet: createSheetHandler(createAskApi(graphql), config.maxPageSize),
    images: images?.answer ?? null,
    findFault: readiness.findFault,
    metrics: watching.answer,
    hasGraphiQL: config.graphiql,
    log,
  });
  // A query that takes longer than an idle connection is kept would be cut off.
  if (config.operationTimeoutMs < keepAliveMs) answerWhole = graphql.answerWhole;
  opening.defer(() => server.close(requestGraceMs, overload.stop()));
  opening.defer(() => changes.close());
  const opened = opening.move();
  return {
    url: publicUrlOf(config, server.port),
    db: database.db,
    storage,
    async close() {
      await readiness.drain(config.drainSeconds);
      await opened.disposeAsync();
    },
  };
}

export function openImagesOf(
  config: Config,
  parts: Pick<ImagesOptions, 'environment' | 'storage' | 'signer' | 'log' | 'watch'>,
): Images {
  const storageDirectory = filesOf(config);
  const cacheDirectory = cacheOf(config);
  const { storage: storageSetting } = config;
  return openImages({ ...config, storageSetting, storageDirectory, cacheDirectory, ...parts });
}

export function openKeptRenditionsOf(config: Config, log: Logger): Pick<Images, 'follow' | 'close'> {
  return openKeptRenditions({ ...config, cacheDirectory: cacheOf(config), log });
}

function cacheOf({ dataDirectory }: Config): string {
  return resolve(dataDirectory, 'renditions');
}

/** Imports what is due until it is closed. */
export function openWorker(
  config: Config,
  { background, storage, measurer, log }: Resources,
  { onImport }: Pick<Watching, 'onImport'>,
): Worker {
  if (config.allowPrivateSources) {
    log.warn(
      'ALLOW_PRIVATE_SOURCES is on: images are fetched from private networks too; for development only',
    );
  }
  return startWorker({
    db: background.db,
    storage,
    log,
    rules: {
      allowedPorts: config.allowPrivateSources ? 'any' : config.sourcePorts,
      allowLoopback: config.allowPrivateSources,
      allowPrivate: config.allowPrivateSources,
    },
    measure: measurer.measure,
    maxBytes: config.maxFileBytes,
    deadlineMs: config.downloadTimeoutMs,
    maxAttempts: config.maxImportAttempts,
    concurrency: config.importConcurrency,
    maxPerHost: config.maxDownloadsPerHost,
    leaseMs: config.importLeaseSeconds * 1_000,
    pollMs: importPollMs,
    onImport,
  });
}

function openGraphQL(
  config: Config,
  resources: Resources,
  worker: Worker | null,
  parts: Pick<GraphQLOptions, 'authentication' | 'trusted' | 'onOperation'> &
    Pick<Context, 'addresses' | 'changes'>,
): GraphQLServer {
  const { database, storage, log } = resources;
  const { addresses, changes, ...rest } = parts;
  return createGraphQLServer({
    context: {
      db: database.db,
      addresses,
      changes,
      trustedProxies: config.trustedProxies,
      limits: limitsOf(config),
      intake: openIntake(config, resources),
      wakeImporting: () => worker?.wake(),
      collectFiles: () => collectFilesNow(database.db, storage, log),
    },
    ...rest,
    corsOrigins: config.corsOrigins,
    hasIntrospection: config.introspection,
    operationLimits: config,
    multipart: { maxFileBytes: config.maxFileBytes, maxFiles: config.maxUploads, maxJsonBytes, log },
    log,
  });
}

async function openTrusted(config: Config, log: Logger): Promise<TrustedOptions | null> {
  if (!config.trustedDocuments) return null;
  const documents = await readTrustedDocuments(config.trustedDocuments, log);
  return { documents, isOnly: config.trustedDocumentsOnly };
}

export function openIntake(config: Config, { storage, measurer, log }: Resources): Intake {
  return createIntake({
    storage,
    measure: measurer.measure,
    maxBytes: config.maxFileBytes,
    importDirectory: config.importDirectory || null,
    log,
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

/** With the keys that are set, else with those that DATA_DIR keeps. */
export async function openSigner({ signingKeys, dataDirectory }: Config): Promise<Signer> {
  if (signingKeys.length > 0) return createSigner(signingKeys);
  const path = resolve(dataDirectory, 'signing-keys');
  return createSigner(parseSigningKeys(await keepSigningKeys(path), path));
}

export function createAddresses(config: Config, signer: Signer, port: number): Addresses {
  const { zoomSize, thumbnailSize, standardSize, tinySize, maxRenditionSide, downloadSeconds } = config;
  const baseUrl = config.imagesUrl.replace(/\/+$/, '') || publicUrlOf(config, port);
  return {
    format: address => baseUrl + formatAddress(address, signer),
    writerOf: createAddressWriters(baseUrl, signer),
    createBatch: signer.createBatch,
    bounds: { maxSide: maxRenditionSide },
    sizes: { zoom: zoomSize, thumbnail: thumbnailSize, standard: standardSize, tiny: tinySize },
    downloadSeconds,
  };
}

export function publicUrlOf({ publicUrl, host }: Config, port: number): string {
  const isReachedByName = ['127.0.0.1', '0.0.0.0', '::'].includes(host);
  const name = isReachedByName ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return publicUrl ? publicUrl.replace(/\/+$/, '') : `http://${name}:${port}`;
}

export function limitsOf({ maxGalleryImages, maxFrames, maxSwatches, ...limits }: Config): Context['limits'] {
  return { ...limits, maxImages: { GALLERY: maxGalleryImages, SPIN_360: maxFrames, SWATCH: maxSwatches } };
}
