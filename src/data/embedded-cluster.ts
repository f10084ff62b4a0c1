import { createHash, randomBytes } from 'node:crypto';
import { chownSync, existsSync, lchownSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../log.ts';
import { endOrphans } from './embedded-orphans.ts';
import { hasCode } from './embedded-owner.ts';
import { type PostgresPrograms, runProgram } from './embedded-programs.ts';

/** A PostgreSQL data directory with all that it takes to run a server on it. */
export interface Cluster {
  dataDirectory: string;
  logPath: string;
  password: string;
  /** Stands in the command line of each of its server's processes. */
  name: string;
  programs: PostgresPrograms;
  durable: boolean;
}

export interface ClusterOptions {
  directory: string;
  programs: PostgresPrograms;
  durable: boolean;
  log: Logger;
}

export const databaseUser = 'packshot';
export const databaseName = 'packshot';
const passwordFile = 'password';
const unfinishedPrefix = 'unfinished-';

/** The cluster in `directory/cluster`, made when there is none. Only for the owner of the directory. */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const { directory, programs, durable } = options;
  const path = join(directory, 'cluster');
  const dataDirectory = join(path, 'data');
  const name = `packshot-${createHash('sha256').update(dataDirectory).digest('hex').slice(0, 16)}`;
  if (existsSync(path)) checkVersion(dataDirectory, programs.majorVersion);
  // Also one whose data were removed since: at its end it would write into those that come in their place.
  await endOrphans({ name, dataDirectory });
  if (!existsSync(path)) await createCluster(path, options);
  takeOver(path, programs);
  const logPath = join(directory, 'server.log');
  return { dataDirectory, logPath, password: readPassword(directory), name, programs, durable };
}

export function readPassword(directory: string): string {
  return readFileSync(join(directory, 'cluster', passwordFile), 'utf8').trim();
}

/** Made aside and renamed when it is complete, so that a kill half-way leaves nothing that counts. */
async function createCluster(path: string, { directory, programs, durable, log }: ClusterOptions) {
  const startedAt = performance.now();
  await removeUnfinished(directory);
  const unfinished = join(directory, `${unfinishedPrefix}${randomBytes(6).toString('hex')}`);
  mkdirSync(unfinished, { mode: 0o700 });
  await writeFile(join(unfinished, passwordFile), randomBytes(24).toString('hex'), {
    mode: 0o600,
    flush: durable,
  });
  giveToOwner(unfinished, programs);
  await initialise(unfinished, programs, durable);
  await rename(unfinished, path);
  if (durable) await syncDirectory(directory);
  log.info({ directory, durationMs: Math.round(performance.now() - startedAt) }, 'made a PostgreSQL cluster');
}

async function initialise(path: string, { initdb, postgres, launcher }: PostgresPrograms, durable: boolean) {
  const dataDirectory = join(path, 'data');
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = [
    `--username=${databaseUser}`,
    '--auth=scram-sha-256',
    `--pwfile=${join(path, passwordFile)}`,
  ];
  const sync = durable ? [] : ['--no-sync'];
  await runProgram(launcher, initdb, [`--pgdata=${dataDirectory}`, ...locale, ...access, ...sync]);
  const single = ['--single', '-D', dataDirectory, '-c', 'exit_on_error=on', '-c', `fsync=${durable}`];
  await runProgram(launcher, postgres, [...single, 'postgres'], `CREATE DATABASE ${databaseName}\n`);
}

/** What was left of starts that were killed. One's initdb may still run: what it holds goes another time. */
async function removeUnfinished(directory: string): Promise<void> {
  for (const name of readdirSync(directory)) {
    if (!name.startsWith(unfinishedPrefix)) continue;
    await rm(join(directory, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}

function checkVersion(dataDirectory: string, expected: string): void {
  const found = readVersion(dataDirectory);
  if (found === expected) return;
  throw new Error(
    `${dataDirectory} was made by PostgreSQL ${found}; this is PostgreSQL ${expected}. ` +
      'Move the data with pg_dump of the old version, or set DATABASE_URL to a server of that version',
  );
}

function readVersion(dataDirectory: string): string {
  try {
    return readFileSync(join(dataDirectory, 'PG_VERSION'), 'utf8').trim();
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    throw new Error(
      `${dataDirectory} has no PG_VERSION; put the data back, or remove its parent to start anew`,
    );
  }
}

/** For data that was restored from a copy, or last run by another user. */
function takeOver(path: string, programs: PostgresPrograms): void {
  const { uid } = programs.launcher.owner;
  const found = statSync(join(path, 'data')).uid;
  if (found === uid) return;
  if (process.geteuid?.() !== 0) {
    throw new Error(`${path} belongs to user ${found}; run as that user, or chown it to user ${uid}`);
  }
  giveToOwner(path, programs);
}

function giveToOwner(path: string, { launcher }: PostgresPrograms): void {
  const { uid, gid } = launcher.owner;
  chownSync(path, uid, gid);
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
    lchownSync(join(path, name), uid, gid);
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path);
  await handle.sync();
  await handle.close();
}
