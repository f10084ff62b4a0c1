import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../src/data/database.ts';
import { claimImports } from '../src/data/import-queue.ts';
import { migrateDatabase } from '../src/data/migrate.ts';
import * as tables from '../src/data/tables.ts';
import { waitUntil } from './support/embedded-service.ts';
import { createTestDatabase } from './support/service.ts';

const root = join(import.meta.dirname, '..');

describe('the migrations', () => {
  it('leave nothing to generate', async () => {
    const project = await copyProject();
    const output = await generateMigration(project);
    // It exits with 0 also when it failed.
    expect(output).toContain('No schema changes');
    expect(await readdir(join(project, 'drizzle'))).toEqual(await readdir(join(root, 'drizzle')));
  });

  it('only add, so that processes of the version before go on', async () => {
    const names = (await readdir(join(root, 'drizzle'))).filter(name => name.endsWith('.sql'));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const text = await readFile(join(root, 'drizzle', name), 'utf8');
      const statements = text.replace(/--.*$/gm, '').split(';');
      expect([name, statements.filter(takesAway)]).toEqual([name, []]);
    }
  });
});

/** Also by asking of old rows, or of those who write without the new column, what they do not have. */
function takesAway(statement: string): boolean {
  const isNeeded = /\badd column\b.*\bnot null\b/i.test(statement) && !/\bdefault\b/i.test(statement);
  return isNeeded || /\b(drop|rename|truncate|alter column|alter type)\b/i.test(statement);
}

describe('a migrated database', () => {
  let url: string;

  beforeEach(async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    url = database.url;
  });

  it('has the columns, indexes and checks of tables.ts, and no others', async () => {
    await migrateDatabase(url);
    expect(await listDatabaseParts(url)).toEqual(listDeclaredParts());
  });

  it('is left as it is by a version before', async () => {
    await migrateDatabase(url);
    const later = `insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', ${Date.now() + 1e9})`;
    await query(url, later);
    await migrateDatabase(url);
    const history = await query(url, 'select hash from drizzle.__drizzle_migrations order by id');
    expect(history.length).toBe((await readJournal()).length + 1);
    expect(history.at(-1)?.hash).toBe('later');
  });

  it('has one history after three migrated it at once', async () => {
    await Promise.all([migrateDatabase(url), migrateDatabase(url), migrateDatabase(url)]);
    const history = await query(url, 'select created_at from drizzle.__drizzle_migrations order by id');
    expect(history.map(row => Number(row.created_at))).toEqual(await readJournal());
  });
});

describe('images that an earlier version has stored', () => {
  const imageCount = 2_500;
  const facts = ['mime_type', 'byte_size', 'width', 'height', 'thumbhash', 'dominant_color', 'has_alpha'];
  const unlike = `
    select count(*)::int as count from images left join files on files.hash = images.file_hash
    where (${facts.map(name => `images.${name}`)}) is distinct from (${facts.map(name => `files.${name}`)})`;
  let url: string;

  beforeEach(async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    url = database.url;
    await migrateTo(url, '0008_find_images_of_a_kind');
    await query(
      url,
      `insert into products (id) select generate_series(1, 10);
       insert into files (hash, mime_type, byte_size, width, height, thumbhash, dominant_color, has_alpha)
         select sha256(int4send(n)), 'image/png', n, n + 1, n + 2, 'hash', '#abcdef', n % 2 = 0
         from generate_series(1, 7) n;
       insert into images (id, product_id, order_key, position, name, state, file_hash)
         select n * 3, 1 + n % 10, lpad(n::text, 6, '0'), n / 10, n || '.png',
           case when n % 8 > 0 then 'UPLOADED'::image_state else 'IMPORTED' end,
           case when n % 8 > 0 then sha256(int4send(n % 8)) end
         from generate_series(1, ${imageCount}) n;
       select setval('image_ids', 1000000)`,
    );
  });

  it('are told what is known of their files', async () => {
    await migrateDatabase(url);
    expect(await query(url, unlike)).toEqual([{ count: 0 }]);
    const known = await query(url, 'select count(*)::int as count from images where width is not null');
    expect(known).toEqual([{ count: imageCount - Math.floor(imageCount / 8) }]);
    const valid = `select convalidated from pg_constraint where conname = 'images_have_facts_of_files'`;
    expect(await query(url, valid)).toEqual([{ convalidated: true }]);
  });

  it('are read on while a long read keeps the migration waiting', async () => {
    const reader = postgres(url, { max: 1, onnotice: () => {} });
    let migrated: Promise<void> | undefined;
    await reader.begin(async transaction => {
      await transaction`select 1 from images limit 1`;
      migrated = migrateDatabase(url);
      for (let round = 0; round < 4; round++) {
        await sleep(500);
        const startedAt = performance.now();
        await query(url, 'select 1 from images limit 1');
        // As long as the migration waits for a lock at a time.
        expect(performance.now() - startedAt).toBeLessThan(1_500);
      }
    });
    await migrated;
    await reader.end();
    expect(await query(url, unlike)).toEqual([{ count: 0 }]);
  });

  it('also while that version goes on', async () => {
    let isOver = false;
    const writer = (async () => {
      const client = postgres(url, { max: 1, onnotice: () => {} });
      for (let n = 0; !isOver; n++) {
        // Downwards, and of many at once, as far from how they are filled in as can be.
        await client`
          update images set alt_text = ${n} where id in (select id from images order by id desc limit 700)`.catch(
          error => {
            if (error.code !== '40P01') throw error;
          },
        );
        await client`
          insert into images (product_id, order_key, position, name, state, file_hash)
          values (1, ${`Z${n}`}, ${1_000 + n}, 'late.png', 'UPLOADED', sha256(int4send(3)))`;
      }
      await client.end();
    })();
    await Promise.all([migrateDatabase(url), migrateDatabase(url)]);
    isOver = true;
    await writer;
    expect(await query(url, unlike)).toEqual([{ count: 0 }]);
  });
});

describe('while images are told what is known of their files', () => {
  let url: string;
  let filling: Promise<void>;
  let letGo: () => void;

  beforeEach(async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    url = database.url;
    await migrateDatabase(url);
    await query(
      url,
      `alter table images drop constraint images_have_facts_of_files;
       alter table images add constraint images_have_facts_of_files
         check (file_hash is null or mime_type is not null) not valid;
       insert into products (id) values (1);
       insert into images (id, product_id, order_key, position, name, source_url, source_host, import_due_at)
         select n, 1, 'a' || n, n - 1, n || '.jpg', 'http://a.test/' || n || '.jpg', 'a.test', now()
         from generate_series(1, 2) n`,
    );
    const blocker = postgres(url, { max: 1, onnotice: () => {} });
    const isLetGo = Promise.withResolvers<void>();
    letGo = isLetGo.resolve;
    const isBlocked = Promise.withResolvers<void>();
    const blocking = blocker.begin(async transaction => {
      await transaction`select 1 from images where id = 1 for update`;
      isBlocked.resolve();
      await isLetGo.promise;
    });
    onTestFinished(async () => {
      letGo();
      await blocking;
      await filling;
      await blocker.end();
    });
    await isBlocked.promise;
    filling = migrateDatabase(url);
    await waitUntil(async () => (await listWaits(url)).length === 1);
  });

  it('workers claim those that are due', async () => {
    const { db, close } = openDatabase(url, { maxConnections: 1, waitMs: 60_000, statementMs: 120_000 });
    onTestFinished(close);
    const claimed = await claimImports(db, { limit: 2, leaseMs: 45_000, maxPerHost: 4 });
    expect(claimed.map(({ id }) => id)).toEqual(['2']);
  });

  it('another process that would do so waits for its turn', async () => {
    const second = migrateDatabase(url);
    await waitUntil(async () => (await listWaits(url)).length === 2);
    expect(await listWaits(url)).toEqual(['advisory', 'transactionid']);
    letGo();
    await Promise.all([filling, second]);
  });
});

/** What kinds of locks the database's connections wait for. */
async function listWaits(url: string): Promise<string[]> {
  const rows = await query(
    url,
    `select wait_event from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock' order by wait_event`,
  );
  return rows.map(row => String(row.wait_event));
}

/** As if what came after that migration had not been written yet. */
async function migrateTo(url: string, tag: string): Promise<void> {
  const project = await copyProject();
  const path = join(project, 'drizzle/meta/_journal.json');
  const journal = JSON.parse(await readFile(path, 'utf8'));
  const last = journal.entries.findIndex((entry: { tag: string }) => entry.tag === tag);
  await writeFile(path, JSON.stringify({ ...journal, entries: journal.entries.slice(0, last + 1) }));
  const client = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await migrate(drizzle(client), { migrationsFolder: join(project, 'drizzle') });
  } finally {
    await client.end();
  }
}

/** A folder in which drizzle-kit finds the project, with a drizzle/ of its own to write to. */
async function copyProject(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'packshot-migrations-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const name of ['src', 'node_modules', 'drizzle.config.ts']) {
    await symlink(join(root, name), join(folder, name));
  }
  await cp(join(root, 'drizzle'), join(folder, 'drizzle'), { recursive: true });
  return folder;
}

async function generateMigration(project: string): Promise<string> {
  const program = join(root, 'node_modules/drizzle-kit/bin.cjs');
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, 'generate'], {
    cwd: project,
    timeout: 15_000,
  });
  return stdout + stderr;
}

/** When each migration was made, in milliseconds since 1970; Drizzle knows them by it. */
async function readJournal(): Promise<number[]> {
  const journal = JSON.parse(await readFile(join(root, 'drizzle/meta/_journal.json'), 'utf8'));
  return journal.entries.map(({ when }: { when: number }) => when);
}

function listDeclaredParts(): string[] {
  const configs = Object.values(tables).flatMap(table => (is(table, PgTable) ? [getTableConfig(table)] : []));
  return configs
    .flatMap(({ name, columns, indexes, checks }) => [
      ...columns.map(column => describeColumn(name, column.name, column.getSQLType(), column.notNull)),
      ...indexes.map(index => `${name}: index ${index.config.name}`),
      ...checks.map(check => `${name}: check ${check.name}`),
    ])
    .sort();
}

/** Types as Postgres spells them; it keeps collations elsewhere. */
function describeColumn(table: string, column: string, type: string, isNotNull: boolean): string {
  const spelled = type.replace(' (', '(').replace(/ COLLATE .*/, '');
  return `${table}: ${column} ${spelled}${isNotNull ? ' not null' : ''}`;
}

async function listDatabaseParts(url: string): Promise<string[]> {
  const rows = await query(
    url,
    `select attrelid::regclass || ': ' || attname || ' ' || format_type(atttypid, atttypmod)
       || case when attnotnull then ' not null' else '' end as part
     from pg_attribute join pg_class on pg_class.oid = attrelid
     where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped
     union all
     select indrelid::regclass || ': index ' || relname from pg_index join pg_class on pg_class.oid = indexrelid
     where relnamespace = 'public'::regnamespace and not indisprimary
     union all
     select conrelid::regclass || ': check ' || conname from pg_constraint
     where connamespace = 'public'::regnamespace and contype = 'c'`,
  );
  return rows.map(row => String(row.part)).sort();
}

async function query(url: string, statement: string): Promise<postgres.Row[]> {
  const client = postgres(url, { max: 1 });
  try {
    return await client.unsafe(statement);
  } finally {
    await client.end();
  }
}
