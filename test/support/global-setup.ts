import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openEmbeddedPostgres } from '../../src/data/embedded.ts';
import { createLog } from '../../src/log.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A server that all test files share; each makes a database of its own. */
    postgresUrl: string;
  }
}

/** One PostgreSQL server for the whole run, unless TEST_DATABASE_URL names another. */
export default async function setup(project: TestProject) {
  const url = process.env.TEST_DATABASE_URL;
  if (url) return project.provide('postgresUrl', url);

  const folder = await mkdtemp(join(tmpdir(), 'packshot-test-'));
  const directory = join(folder, 'postgres');
  const postgres = await openEmbeddedPostgres({ directory, log: createLog('warn'), durable: false });
  project.provide('postgresUrl', postgres.url);
  return async () => {
    await postgres.close();
    await rm(folder, { recursive: true });
  };
}
