import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { fillFacts } from './fill-facts.ts';

const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** Any fixed number: whoever migrates this database holds this advisory lock. */
const migrationLock = '7241690213451';

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
    await client`select pg_advisory_lock(${migrationLock}::bigint)`;
    await migrate(drizzle(client), { migrationsFolder });
    await fillFacts(client);
  } finally {
    // The lock goes with the connection.
    await client.end({ timeout: 5 });
  }
}
