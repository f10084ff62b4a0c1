import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { advisoryLocks } from './advisory-locks.ts';
import { fillFacts } from './fill-facts.ts';

const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** Who waits for a table keeps all others waiting that come after. */
const lockTimeoutMs = 1_000;
const maxTries = 120;
const lockNotAvailable = '55P03';

let lastHash: string | undefined;

/** As Drizzle notes it in the database: of what the last migration's file holds. */
export function lastMigrationHash(): string {
  lastHash ??= readMigrationFiles({ migrationsFolder }).at(-1)?.hash ?? '';
  return lastHash;
}

/** Brings the database up to date. Processes that start at once take turns; the later ones find nothing to do. */
export async function migrateDatabase(url: string): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 });
  try {
    await client`select pg_advisory_lock(${advisoryLocks.migrate}::bigint)`;
    await migrateSoon(client);
    // It takes long on a large store, and the version before, which knows nothing of it, may start meanwhile.
    await client`select pg_advisory_unlock(${advisoryLocks.migrate}::bigint)`;
    await client`select pg_advisory_lock(${advisoryLocks.fillFacts}::bigint)`;
    await fillFacts(client);
  } finally {
    // The lock goes with the connection.
    await client.end({ timeout: 5 });
  }
}

/** Tries again, for a minute or two, while others read what is to be changed. */
async function migrateSoon(client: postgres.Sql): Promise<void> {
  await client`select set_config('lock_timeout', ${String(lockTimeoutMs)}, false)`;
  for (let tries = 1; ; tries++) {
    try {
      await migrate(drizzle(client), { migrationsFolder });
      break;
    } catch (error) {
      if (tries === maxTries || !isLockTimeout(error)) throw error;
      await sleep(lockTimeoutMs / 2);
    }
  }
  await client`select set_config('lock_timeout', '0', false)`;
}

/** Drizzle tells the driver's error as the cause of its own. */
function isLockTimeout(error: unknown): boolean {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  return code === lockNotAvailable || cause?.code === lockNotAvailable;
}
