import { type App, openApp, openDatabaseServer, openStorageOf } from './app.ts';
import { parseConfig } from './config.ts';
import { openDatabase } from './data/database.ts';
import { migrateDatabase } from './data/migrate.ts';
import { purge } from './gallery/purge.ts';
import { formatSchema } from './graphql/schema.ts';
import { createLog } from './log.ts';

const commands: Record<string, () => Promise<void>> = { serve, migrate, purge: purgeNow, schema };

/** Serves until it is told to stop. */
async function serve(): Promise<void> {
  const config = parseConfig(process.env);
  const log = createLog(config.logLevel);
  const stopped = untilSignal();
  const app = await openApp(config, { log });
  if (process.stdout.isTTY) process.stdout.write(formatGreeting(app));
  else log.info({ graphql: `${app.url}/graphql` }, `Packshot is ready; open ${app.url} in a browser`);
  log.info({ signal: await stopped }, 'Finishing the requests under way');
  await app.close();
}

function formatGreeting({ url }: App): string {
  return `
  Packshot is ready.

  GraphiQL   ${url}/
  GraphQL    ${url}/graphql
  Health     ${url}/health, ${url}/ready

  Ctrl-C stops it.

`;
}

/** A second signal ends the process at once, as if nobody listened. */
async function untilSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  process.once('SIGINT', resolve).once('SIGTERM', resolve);
  return promise;
}

/** Brings the database up to date, also beside a running service. */
async function migrate(): Promise<void> {
  const config = parseConfig(process.env);
  const log = createLog(config.logLevel);
  await using opened = new AsyncDisposableStack();
  const server = await openDatabaseServer(config, log, true);
  opened.defer(() => server.close());
  await migrateDatabase(server.url);
  log.info('The database is up to date');
}

/** Purges what can no longer be restored, also beside a running service. */
async function purgeNow(): Promise<void> {
  const config = parseConfig(process.env);
  const log = createLog(config.logLevel);
  await using opened = new AsyncDisposableStack();
  const server = await openDatabaseServer(config, log, true);
  opened.defer(() => server.close());
  await migrateDatabase(server.url);
  const database = openDatabase(server.url, { maxConnections: 1 });
  opened.defer(() => database.close());
  const storage = await openStorageOf(config);
  opened.defer(() => storage.close());
  const purged = await purge(database.db, storage);
  log.info(purged, `Purged ${purged.images} images and ${purged.files} files`);
}

/** Prints the schema. */
async function schema(): Promise<void> {
  process.stdout.write(formatSchema());
}

const name = process.argv[2] ?? 'serve';
const command = commands[name];
if (!command) {
  process.stderr.write(`Unknown command ${name}; known are ${Object.keys(commands).join(', ')}\n`);
  process.exit(2);
}
try {
  await command();
  process.exit(0);
} catch (error) {
  const { message, stack } = error as Error;
  const isDebugging = /^(debug|trace)$/.test(process.env.LOG_LEVEL ?? '');
  process.stderr.write(`${isDebugging ? stack : message}\n`);
  process.exit(1);
}
