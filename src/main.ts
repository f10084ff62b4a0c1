import { once } from 'node:events';
import type { WriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import {
  createAddresses,
  limitsOf,
  openApp,
  openIntake,
  openKeptRenditionsOf,
  openSigner,
  openWorker,
} from './app.ts';
import { parseExportArguments, parseImportArguments } from './bulk/arguments.ts';
import { exportImages } from './bulk/export-images.ts';
import { formatSummary, importFile } from './bulk/import-file.ts';
import { parseConfig } from './config.ts';
import { checkFiles, parseCheckArguments } from './gallery/check-files.ts';
import { purge } from './gallery/purge.ts';
import { sweepOriginals } from './gallery/sweep.ts';
import { formatSchema } from './graphql/schema.ts';
import { openImageApp } from './image-app.ts';
import { parseKeysArguments, runKeysCommand } from './keys-command.ts';
import { createLog, innermostCause } from './log.ts';
import { imagesPath, originalOf } from './rendering/address.ts';
import { openResources } from './resources.ts';
import { openWatching, sourcesOf } from './watching.ts';

/** What they resolve with, if anything, is the exit code. */
const commands: Record<string, (stop: AbortSignal) => Promise<unknown>> = {
  serve,
  work,
  migrate,
  import: importImages,
  export: exportAll,
  keys,
  purge: purgeNow,
  'check-files': checkStoredFiles,
  schema,
};

/** They end when they are told to; whatever else is told to stop, and does not come to its end, has failed. */
const endless = new Set(['serve', 'work']);

/** Serves until it is told to stop. */
async function serve(stop: AbortSignal): Promise<void> {
  const config = parseConfig(process.env);
  const log = createLog(config.logLevel);
  // For the process that makes renditions: libuv has four threads else, on however many processors.
  process.env.UV_THREADPOOL_SIZE ??= String(Math.max(config.renderConcurrency + 2, 4));
  const app = await (config.serve === 'images' ? openImageApp : openApp)(config, {
    environment: process.env,
    log,
    stop,
  });
  if (config.serve === 'images') log.info({ images: `${app.url}${imagesPath}` }, 'Handing out images');
  else if (process.stdout.isTTY) process.stdout.write(formatGreeting(app.url));
  else log.info({ graphql: `${app.url}/graphql` }, `Packshot is ready; open ${app.url} in a browser`);
  if (!stop.aborted) await once(stop, 'abort');
  log.info('Finishing the requests under way');
  await app.close();
}

function formatGreeting(url: string): string {
  return `
  Packshot is ready.

  GraphiQL   ${url}/
  Sheet      ${url}/sheet
  GraphQL    ${url}/graphql
  Health     ${url}/health, ${url}/ready

  Ctrl-C stops it.

`;
}

/** The last comes where a terminal is closed. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Aborts at the first signal, so that what runs can close what it opened. A second one ends the process at once, as if
 * nobody listened, but not within half a second: under npm a Ctrl-C in the terminal comes twice.
 */
function listenForSignals(): AbortSignal {
  const stopping = new AbortController();
  const stop = () => {
    stopping.abort();
    setTimeout(deafen, 500).unref();
  };
  const deafen = () => {
    for (const signal of signals) process.off(signal, stop);
  };
  for (const signal of signals) process.on(signal, stop);
  return stopping.signal;
}

/** Imports images until it is told to stop, beside services that need not. */
async function work(stop: AbortSignal): Promise<void> {
  const config = parseConfig(process.env);
  await using opened = new AsyncDisposableStack();
  const log = createLog(config.logLevel);
  const watching = await openWatching(config, log);
  opened.defer(() => watching.close());
  const options = { attaches: 'only', waitsForDatabase: true, log, stop, watching } as const;
  const resources = await openResources(config, opened, options);
  const worker = openWorker(config, resources, watching);
  watching.follow(sourcesOf({ ...resources, worker }));
  opened.defer(() => worker.close());
  resources.log.info('Importing images that are due');
  if (!stop.aborted) await once(stop, 'abort');
}

/** Brings the database up to date, also beside a running service. */
async function migrate(): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const { log } = await openResources(parseConfig(process.env), opened, { attaches: true });
  log.info('The database is up to date');
}

/** Purges what can no longer be restored, also beside a running service. */
async function purgeNow(): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const config = parseConfig(process.env);
  const resources = await openResources(config, opened, { attaches: true });
  const { background, log } = resources;
  const renditions = openKeptRenditionsOf(config, log);
  opened.defer(() => renditions.close());
  const storage = renditions.follow(resources.storage);
  const purged = await purge(background.db, storage);
  const swept = await sweepOriginals(background.db, storage);
  log.info({ ...purged, swept }, `Purged ${purged.images} images and ${purged.files + swept} files`);
}

/** Looks for files that images name and that are not there, also beside a running service. 2: there are some. */
async function checkStoredFiles(): Promise<number> {
  const { readsBytes } = parseCheckArguments(process.argv.slice(3));
  await using opened = new AsyncDisposableStack();
  const { background, storage } = await openResources(parseConfig(process.env), opened, {
    attaches: true,
    log: createLog('warn'),
  });
  let broken = 0;
  const checked = await checkFiles(background.db, storage, {
    readsBytes,
    onBroken({ key, fault, imageIds }) {
      broken += 1;
      process.stdout.write(`${key} ${fault}; it is of the images ${imageIds.join(', ')}\n`);
    },
  });
  process.stdout.write(`Checked ${checked} files: ${broken} missing or broken\n`);
  return broken > 0 ? 2 : 0;
}

/** Adds the images of a file, also beside a running service. 2: some lines were refused. 1: stopped before the end. */
async function importImages(stop: AbortSignal): Promise<number> {
  const options = await parseImportArguments(process.argv.slice(3));
  const config = parseConfig(process.env);
  await using opened = new AsyncDisposableStack();
  const resources = await openResources(config, opened, { attaches: true, log: createLog('warn') });
  const summary = await importFile({
    ...options,
    db: resources.background.db,
    limits: limitsOf(config),
    takePath: openIntake(config, resources).takePath,
    terminal: process.stderr,
    stop,
  });
  process.stdout.write(`${formatSummary(summary, options.reportPath)}\n`);
  if (!summary.isDone) return 1;
  return summary.refused > 0 ? 2 : 0;
}

/** Writes every image, in the form that import reads. 1: stopped before the end. */
async function exportAll(stop: AbortSignal): Promise<number> {
  const { format, outputPath } = parseExportArguments(process.argv.slice(3));
  const config = parseConfig(process.env);
  await using opened = new AsyncDisposableStack();
  // Standard output is for the images.
  const { background } = await openResources(config, opened, { attaches: true, log: createLog('silent') });
  const output = outputPath === null ? process.stdout : await openOutput(outputPath);
  const addresses = createAddresses(config, await openSigner(config), config.port);
  const addressOf = (hash: string, mimeType: string) =>
    addresses.format({ kind: 'original', ...originalOf(hash, mimeType) });
  const { exported, isDone } = await exportImages({ db: background.db, format, output, addressOf, stop });
  if (outputPath !== null) await new Promise<void>(done => output.end(() => done()));
  const told = `${exported.toLocaleString('en')} images`;
  process.stderr.write(isDone ? `Exported ${told}\n` : `Stopped: exported ${told}, and not the others\n`);
  return isDone ? 0 : 1;
}

async function openOutput(path: string): Promise<WriteStream> {
  const file = await open(path, 'w').catch(error => {
    throw new Error(`${path} cannot be written: ${error.message}`, { cause: error });
  });
  return file.createWriteStream();
}

/** Makes, lists and revokes API keys, also beside a running service. */
async function keys(): Promise<number> {
  const command = parseKeysArguments(process.argv.slice(3));
  await using opened = new AsyncDisposableStack();
  const { background } = await openResources(parseConfig(process.env), opened, {
    attaches: true,
    log: createLog('silent'),
  });
  const { text, isDone } = await runKeysCommand(command, background.db);
  process.stdout.write(`${text}\n`);
  return isDone ? 0 : 1;
}

/** Prints the schema. */
async function schema(): Promise<void> {
  process.stdout.write(formatSchema());
}

const name = process.argv[2] ?? 'serve';
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (!command) {
  process.stderr.write(`Unknown command ${name}; known are ${Object.keys(commands).join(', ')}\n`);
  process.exit(2);
}
const stop = listenForSignals();
try {
  process.exit(Number((await command(stop)) ?? 0));
} catch (error) {
  if (stop.aborted && endless.has(name)) process.exit(0);
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(1);
}

/** The reason, without the statement and parameters that Drizzle's own error repeats. */
function describeError(error: unknown): string {
  const isOfStatement = error instanceof Error && 'query' in error && 'params' in error;
  const reason = isOfStatement ? innermostCause(error) : error;
  if (!(reason instanceof Error)) return String(reason);
  if (/^(debug|trace)$/.test(process.env.LOG_LEVEL ?? '')) return String(reason.stack);
  // A name with several addresses, none of which answers, fails with one error for each and no word of its own.
  return (
    reason.message ||
    (reason instanceof AggregateError ? reason.errors.map(describeError).join('; ') : reason.name)
  );
}
