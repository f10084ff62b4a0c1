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
    /** Where Node keeps what it has compiled, so that services of tests start sooner: most tests of processes start some. */
    compileCache: string;
  }
}

/** One PostgreSQL server for the whole run, unless TEST_DATABASE_URL names another. */
export default async function setup(project: TestProject) {
  const folder = await mkdtemp(join(tmpdir(), 'packshot-test-'));
  const removeFolder = () => rm(folder, { recursive: true });
  project.provide('compileCache', join(folder, 'compiled'));
  const url = process.env.TEST_DATABASE_URL;
  if (url) {
    project.provide('postgresUrl', url);
    return removeFolder;
  }
  const directory = join(folder, 'postgres');
  const postgres = await openEmbeddedPostgres({ directory, log: createLog('warn'), durable: false });
  project.provide('postgresUrl', postgres.url);
  return async () => {
    await postgres.close();
    await removeFolder();
  };
}
