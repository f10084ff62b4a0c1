import { randomBytes, randomInt } from 'node:crypto';
import { accessSync, chownSync, constants, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findPostgresPrograms, type PostgresPrograms, runProgram } from '../../src/data/embedded-programs.ts';
import { PortTaken, type Server, startServer } from '../../src/data/embedded-server.ts';

/** A server and its tools as an operating system has them. */
export interface InstalledPostgres {
  /** Of an empty database. */
  url: string;
  close(): Promise<void>;
}

const oldestVersion = 15;
const needed = ['initdb', 'postgres', 'pg_dump', 'pg_restore', 'createdb'];
const debianFolder = '/usr/lib/postgresql';

/**
 * The folder of the newest PostgreSQL that Debian's packages have installed, else of one on PATH. Null, with a line that
 * says what is skipped, where there is none, or no rsync; on CI, where nothing may be skipped, that is an error.
 */
export function findInstalledPostgres(skipped: string): string | null {
  const path = (process.env.PATH ?? '').split(delimiter);
  const folder = [...listDebianFolders(), ...path].find(each => hasAll(each, needed));
  if (folder && path.some(each => hasAll(each, ['rsync']))) return folder;
  const advice = 'install PostgreSQL and rsync (on Debian: apt-get install postgresql rsync)';
  if (process.env.CI) throw new Error(`There is no PostgreSQL or no rsync for ${skipped}; ${advice}`);
  process.stderr.write(`Skipped: ${skipped}, for want of PostgreSQL's own tools or rsync; ${advice}\n`);
  return null;
}

function listDebianFolders(): string[] {
  try {
    const versions = readdirSync(debianFolder).map(Number);
    const fitting = versions.filter(version => version >= oldestVersion);
    return fitting.sort((one, other) => other - one).map(version => join(debianFolder, `${version}/bin`));
  } catch {
    return [];
  }
}

function hasAll(folder: string, programs: readonly string[]): boolean {
  try {
    for (const program of programs) accessSync(join(folder, program), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A server of its own, in a temporary folder and on a free port of 127.0.0.1, with nothing in it. */
export async function openInstalledPostgres(folder: string): Promise<InstalledPostgres> {
  const directory = await mkdtemp(join(tmpdir(), 'packshot-postgres-'));
  try {
    return await openIn(directory, folder);
  } catch (error) {
    await rm(directory, { recursive: true });
    throw error;
  }
}

async function openIn(directory: string, folder: string): Promise<InstalledPostgres> {
  const binaries = { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') };
  const programs = await findPostgresPrograms(directory, binaries);
  const password = randomBytes(12).toString('hex');
  const dataDirectory = join(directory, 'data');
  await makeCluster(dataDirectory, password, programs);
  const name = `packshot-installed-${randomBytes(6).toString('hex')}`;
  const logPath = join(directory, 'server.log');
  const cluster = { dataDirectory, logPath, password, name, programs, durable: false };
  const { server, port } = await startOnFreePort(cluster);
  return {
    url: `postgres://packshot:${password}@127.0.0.1:${port}/packshot`,
    async close() {
      await server.stop();
      await rm(directory, { recursive: true, maxRetries: 5 });
    },
  };
}

async function makeCluster(dataDirectory: string, password: string, programs: PostgresPrograms) {
  const { initdb, postgres, launcher } = programs;
  const passwordFile = `${dataDirectory}.password`;
  await writeFile(passwordFile, password, { mode: 0o600 });
  await mkdir(dataDirectory, { mode: 0o700 });
  for (const path of [passwordFile, dataDirectory]) chownSync(path, launcher.owner.uid, launcher.owner.gid);
  const access = ['--username=packshot', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  const how = ['--encoding=UTF8', '--locale=C', '--no-sync'];
  await runProgram(launcher, initdb, [`--pgdata=${dataDirectory}`, ...access, ...how]);
  const single = ['--single', '-D', dataDirectory, '-c', 'fsync=off', 'postgres'];
  await runProgram(launcher, postgres, single, 'CREATE DATABASE packshot\n');
}

async function startOnFreePort(
  cluster: Parameters<typeof startServer>[0],
): Promise<{ server: Server; port: number }> {
  for (let tries = 0; ; tries++) {
    const port = randomInt(15_000, 32_000);
    try {
      return { server: await startServer(cluster, port, new AbortController().signal), port };
    } catch (error) {
      if (!(error instanceof PortTaken) || tries === 20) throw error;
    }
  }
}
