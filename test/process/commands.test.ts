import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { advisoryLocks } from '../../src/data/advisory-locks.ts';
import {
  type Installation,
  listProcessesOf,
  openInstallation,
  openInstallationForTest,
} from '../support/process.ts';
import { createTestDatabase } from '../support/service.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';

describe('schema', () => {
  test('prints schema.graphql, whatever the settings, and makes nothing', async () => {
    const installation = await openInstallationForTest();
    const { exitCode, stdout, stderr } = await installation.run(['schema'], { PORT: 'none' });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe(readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8'));
    expect(readdirSync(installation.folder)).toEqual([]);
  });
});

describe('an unknown command', () => {
  test.each(['frobnicate', 'toString'])('such as %s is told the known ones', async name => {
    const installation = await openInstallationForTest();
    const { exitCode, stdout, stderr } = await installation.run([name]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`^Unknown command ${name}; known are serve, work, migrate, .*schema\\n$`),
    );
    expect(readdirSync(installation.folder)).toEqual([]);
  });
});

describe('serve', () => {
  test('tells all bad settings at once, and makes nothing', async () => {
    const installation = await openInstallationForTest();
    const { exitCode, stdout, stderr } = await installation.run(['serve'], {
      PORT: '70000',
      HOST: 'no host',
      DATABASE_URL: 'mysql://localhost/shop',
      SAMPLE: 'maybe',
      PAGE_SIZE: '300',
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual([
      'PORT is "70000"; it must be a whole number from 0 to 65535',
      'HOST is "no host"; it must be an address or a name of this machine',
      'DATABASE_URL is "mysql://localhost/shop"; it must be a URL with postgres or postgresql',
      'SAMPLE is "maybe"; it must be on or off',
      'PAGE_SIZE is 300; it must be at most MAX_PAGE_SIZE, 250',
    ]);
    expect(readdirSync(installation.folder)).toEqual([]);
  });

  test('waits for a Postgres that is not there yet, lives and says so meanwhile', async () => {
    const installation = await openInstallationForTest();
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const url = new URL(database.url);
    const proxy = await openTcpProxy(Number(url.port));
    onTestFinished(() => proxy.close());
    await proxy.refuse();
    url.port = String(proxy.port);
    url.password ||= 's3cret';
    const port = await findFreePort();
    const service = installation.spawn(['serve'], { DATABASE_URL: url.href, PORT: String(port) });
    const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    await expect.poll(() => ask('/health').then(response => response.status), { timeout: 15_000 }).toBe(200);
    for (const path of ['/ready', '/graphql?query={imageCount}', '/']) {
      const { status, headers } = await ask(path);
      expect({ status, retryAfter: headers.get('retry-after') }).toEqual({ status: 503, retryAfter: '1' });
    }
    expect(await (await ask('/graphql')).json()).toEqual({
      errors: [
        { message: 'The service is starting; try again.', extensions: { code: 'SERVICE_UNAVAILABLE' } },
      ],
    });
    expect(service.hasLogged('The database cannot be reached')).toBe(true);
    expect(JSON.stringify(service.readLog())).not.toContain(url.password);
    await proxy.listen();
    await expect.poll(() => ask('/ready').then(response => response.status), { timeout: 5_000 }).toBe(200);
    service.signal('SIGTERM');
    expect((await service.ended).exitCode).toBe(0);
  });

  test('ends when it is told to while it waits for Postgres', async () => {
    const installation = await openInstallationForTest();
    const service = installation.spawn(['serve'], { DATABASE_URL: 'postgres://shop@127.0.0.1:1/shop' });
    await expect
      .poll(() => service.hasLogged('The database cannot be reached'), { timeout: 15_000 })
      .toBe(true);
    service.signal('SIGTERM');
    expect((await service.ended).exitCode).toBe(0);
  });
});

describe('migrate', () => {
  test('makes the tables of an empty database', async () => {
    const installation = await openInstallationForTest();
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const { exitCode, stderr } = await installation.run(['migrate'], { DATABASE_URL: database.url });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(await listTables(database.url)).toEqual(expect.arrayContaining(['files', 'images', 'products']));
  });

  test('names the address where no Postgres listens, not the password', async () => {
    const installation = await openInstallationForTest();
    const { exitCode, stderr } = await installation.run(['migrate'], {
      DATABASE_URL: 'postgres://shop:s3cret@127.0.0.1:1/shop',
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('127.0.0.1:1');
    expect(stderr).not.toContain('s3cret');
  });

  test('that fails after it was told to stop does not look as if it were done', async () => {
    const installation = await openInstallationForTest();
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    await using sql = open(database.url);
    await sql.client`select pg_advisory_lock(${advisoryLocks.migrate}::bigint)`;
    const migrating = installation.spawn(['migrate'], { DATABASE_URL: database.url });
    const waiting = () =>
      sql.client`select pid from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`;
    await expect.poll(waiting, { timeout: 15_000 }).toHaveLength(1);
    migrating.signal('SIGTERM');
    await sleep(100);
    for (const { pid } of await waiting()) await sql.client`select pg_terminate_backend(${pid})`;
    const { exitCode, stderr } = await migrating.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringMatching(/connection/i) });
  });

  test('says why the database refuses, and not with which statement', async () => {
    const installation = await openInstallationForTest();
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    await makeReadOnly(database.url);
    const { exitCode, stderr } = await installation.run(['migrate'], { DATABASE_URL: database.url });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^cannot execute .* in a read-only transaction\n$/);
  });
});

describe('no Postgres is left running', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await openInstallation();
  });
  afterAll(async () => installation.close());

  test('by migrate', async () => {
    const { exitCode, stdout, stderr } = await installation.run(['migrate']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('The database is up to date');
    expect(listProcessesOf(installation.folder)).toEqual([]);
  });

  test('by a service whose port is taken, which says so', async () => {
    await using other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { exitCode, stderr } = await installation.run(['serve'], { PORT: String(port), SAMPLE: 'off' });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `Port ${port} of 127.0.0.1 is taken; set PORT to another one\n`,
    });
    expect(listProcessesOf(installation.folder)).toEqual([]);
  });
});

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

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
