import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Installation, listProcessesOf, openInstallation } from '../support/process.ts';
import { createTestDatabase } from '../support/service.ts';

let installation: Installation;

beforeAll(async () => {
  installation = await openInstallation();
});
afterAll(async () => installation.close());

describe('schema', () => {
  test('prints schema.graphql, whatever the settings, and makes nothing', async () => {
    const { exitCode, stdout, stderr } = await installation.run(['schema'], { PORT: 'none' });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe(readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8'));
    expect(readdirSync(installation.folder)).toEqual([]);
  });
});

describe('an unknown command', () => {
  test.each(['frobnicate', 'toString'])('such as %s is told the known ones', async name => {
    const { exitCode, stdout, stderr } = await installation.run([name]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^Unknown command ${name}; known are serve, migrate, .*schema\n$`));
    expect(readdirSync(installation.folder)).toEqual([]);
  });
});

describe('migrate', () => {
  test('makes the tables of an empty database', async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const { exitCode, stderr } = await installation.run(['migrate'], { DATABASE_URL: database.url });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(await listTables(database.url)).toEqual(expect.arrayContaining(['files', 'images', 'products']));
  });

  test('starts the embedded Postgres for as long as it takes', async () => {
    const { exitCode, stdout, stderr } = await installation.run(['migrate']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('The database is up to date');
    expect(listProcessesOf(installation.folder)).toEqual([]);
  });

  test('says why the database refuses, and not with which statement', async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    await makeReadOnly(database.url);
    const { exitCode, stderr } = await installation.run(['migrate'], { DATABASE_URL: database.url });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^cannot execute .* in a read-only transaction\n$/);
  });
});

async function listTables(url: string): Promise<string[]> {
  await using sql = open(url);
  const rows = await sql.client`select tablename from pg_tables where schemaname = 'public'`;
  return rows.map(row => row.tablename);
}

async function makeReadOnly(url: string): Promise<void> {
  await using sql = open(url);
  const name = new URL(url).pathname.slice(1);
  await sql.client.unsafe(`alter database ${name} set default_transaction_read_only = on`);
}

function open(url: string): { client: postgres.Sql } & AsyncDisposable {
  const client = postgres(url, { max: 1 });
  return { client, [Symbol.asyncDispose]: () => client.end() };
}
