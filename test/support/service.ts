import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { inject } from 'vitest';
import { type Overrides, openApp } from '../../src/app.ts';
import { parseConfig } from '../../src/config.ts';
import type { Database } from '../../src/data/database.ts';
import { createLog } from '../../src/log.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** What a GraphQL server answers. */
export interface Answer<Data> {
  data: Data;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
  extensions?: Record<string, unknown>;
}

export interface TestService {
  url: string;
  databaseUrl: string;
  db: Database;
  storage: Storage;
  /** Texts of the statements sent to Postgres since it was last emptied. */
  statements: string[];
  /** Sends a document over HTTP; what is selected is the test's to say. */
  send<Data>(document: string, variables?: object): Promise<Answer<Data>>;
  /** As `send`, and fails where there are errors. */
  query<Data>(document: string, variables?: object): Promise<Data>;
  close(): Promise<void>;
}

/** A whole service on a database, a folder and a port of its own. */
export async function openTestService(
  environment: Record<string, string> = {},
  overrides: Overrides = {},
): Promise<TestService> {
  const directory = await mkdtemp(join(tmpdir(), 'packshot-test-'));
  const database = await createTestDatabase();
  const statements: string[] = [];
  // Importing is off unless a test wants it: what the tests name as sources must never be asked for.
  const config = parseConfig({
    PORT: '0',
    DATA_DIR: directory,
    DATABASE_URL: database.url,
    IMPORTING: 'off',
    DRAIN_SECONDS: '0',
    ...environment,
  });
  const remove = async () => {
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  };
  const app = await openApp(config, {
    log: createLog('silent'),
    // What is asked of the keys every few seconds is none of a request's.
    onStatement: text => {
      if (!text.includes('"api_keys"')) statements.push(text);
    },
    ...overrides,
  }).catch(async error => {
    await remove();
    throw error;
  });
  const send = async <Data>(query: string, variables?: object) => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as Answer<Data>;
  };
  return {
    url: app.url,
    databaseUrl: database.url,
    db: app.db,
    storage: app.storage,
    statements,
    send,
    async query<Data>(query: string, variables?: object) {
      const { data, errors } = await send<Data>(query, variables);
      if (errors) throw new Error(errors.map(error => error.message).join('; '));
      return data;
    },
    async close() {
      await app.close();
      await remove();
    },
  };
}

/** An empty database on the server that the whole test run shares. */
export async function createTestDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const url = new URL(inject('postgresUrl'));
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const server = postgres(url.href, { max: 1, onnotice: () => {} });
  // Copied as files, it does not go through memory that the server has not touched before.
  await server.unsafe(`create database ${name} strategy file_copy`);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async drop() {
      await server.unsafe(`drop database ${name} with (force)`);
      await server.end();
    },
  };
}

/** Without those of the purge that every service begins with. */
export function withoutPurge(statements: readonly string[]): string[] {
  return statements.filter(text => !/^\s*(begin|commit|rollback|delete from)|skip locked/.test(text));
}
