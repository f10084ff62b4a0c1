import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openStorage } from '../../src/storage/open-storage.ts';
import { openS3Storage } from '../../src/storage/s3.ts';
import { type Storage, StorageFailed } from '../../src/storage/storage.ts';
import { openS3Server, s3Credentials } from '../support/s3-server.ts';
import { describeStorage, listKeys, readAll } from '../support/storage-contract.ts';

describeStorage('S3', async () => {
  const server = await openS3Server();
  const directory = await mkdtemp(join(tmpdir(), 'packshot-spool-'));
  const setting = `s3://images/shop/one?endpoint=${server.endpoint}`;
  const storage = await openStorage(setting, { directory, credentials: s3Credentials });
  return {
    storage,
    breakDown: async () => server.stop(),
    async close() {
      await storage.close();
      await server.close();
      await rm(directory, { recursive: true });
    },
  };
});

let spoolDirectory: string;

beforeEach(async () => {
  spoolDirectory = await mkdtemp(join(tmpdir(), 'packshot-spool-'));
});
afterEach(async () => rm(spoolDirectory, { recursive: true }));

describe('a bucket', () => {
  it('is shared by storages under different prefixes', async () => {
    const { endpoint } = await openServer();
    const [one, two, all] = [open(endpoint, 'one/'), open(endpoint, 'two/'), open(endpoint, '')];
    await one.write('a', Buffer.from('1'));
    await two.write('a', Buffer.from('2'));
    await two.remove('a');
    expect(await listKeys(one, '')).toEqual(['a']);
    expect(await listKeys(two, '')).toEqual([]);
    expect(await listKeys(all, '')).toEqual(['one/a']);
  });

  it('that is missing is a failure, not an absence', async () => {
    const { endpoint } = await openServer();
    const storage = open(endpoint, '', { bucket: 'missing' });
    const refusal = /: NoSuchBucket$/;
    await expect(storage.read('a')).rejects.toThrow(refusal);
    await expect(storage.stat('a')).rejects.toThrow(refusal);
    await expect(storage.write('a', Buffer.from('x'))).rejects.toThrow(refusal);
    await expect(storage.remove('a')).rejects.toThrow(refusal);
    await expect(listKeys(storage, '')).rejects.toThrow(refusal);
  });
});

describe('a server that fails', () => {
  it.each([
    ['bytes', () => Buffer.alloc(3_000_000, 'x')],
    ['a stream', () => Readable.from([Buffer.alloc(3_000_000, 'x')])],
  ])('once is asked again with all of %s', async (_body, create) => {
    const received: number[] = [];
    const endpoint = await serve(async (request, response) => {
      received.push((await buffer(request)).length);
      response.writeHead(received.length === 1 ? 503 : 200).end();
    });
    await open(endpoint).write('a', create());
    expect(received).toEqual([3_000_000, 3_000_000]);
  });

  it.each([
    ['bytes', () => Buffer.from('x')],
    ['a stream', () => Readable.from([Buffer.from('x')])],
  ])('by refusing %s is not asked again', async (_body, create) => {
    let requests = 0;
    const endpoint = await serve((request, response) => {
      requests++;
      request.resume().on('end', () => response.writeHead(403).end());
    });
    await expect(open(endpoint).write('a', create())).rejects.toThrow(StorageFailed);
    expect(requests).toBe(1);
  });

  it('by silence is given up within ten seconds', async () => {
    const endpoint = await listen(createSocketServer(socket => socket.on('error', () => {})));
    const storage = open(endpoint, '', { silenceTimeoutMs: undefined });
    const startedAt = Date.now();
    const outcomes = await Promise.allSettled([
      storage.read('a'),
      storage.stat('a'),
      storage.remove('a'),
      storage.write('a', Buffer.from('x')),
      storage.write('a', Readable.from([Buffer.alloc(3_000_000)])),
      listKeys(storage, ''),
    ]);
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(StorageFailed) });
    }
  });

  it('is described without its address or our credentials', async () => {
    const server = await openServer();
    server.stop();
    const failure = await open(server.endpoint)
      .read('a')
      .catch(caught => caught);
    expect(failure.message).toBe('could not read "a": ECONNREFUSED');
  });
});

describe('a read from S3', () => {
  it('errors when the server dies midway', async () => {
    const server = await openServer();
    const storage = open(server.endpoint);
    await storage.write('a', Buffer.alloc(24 * 1024 * 1024));
    const found = await storage.read('a');
    server.stop();
    await expect(buffer(found?.body ?? Readable.from([]))).rejects.toThrow(StorageFailed);
  });

  it('errors when the server falls silent midway', async () => {
    const endpoint = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 1_000, 'last-modified': new Date(0).toUTCString() });
      response.write('the first bytes');
    });
    const found = await open(endpoint).read('a');
    const all = buffer(found?.body ?? Readable.from([]));
    await expect(all).rejects.toThrow('no byte came within 200 ms');
  });

  it('waits for a reader that takes its time', async () => {
    const { endpoint } = await openServer();
    const storage = open(endpoint);
    await storage.write('a', Buffer.alloc(3_000_000));
    const found = await storage.read('a');
    await wait(900);
    expect(await buffer(found?.body ?? Readable.from([]))).toHaveLength(3_000_000);
  });

  it('gives its connection back when its body is destroyed unread', async () => {
    const { endpoint } = await openServer();
    const storage = open(endpoint);
    await storage.write('a', Buffer.alloc(300_000));
    // The client holds fifty connections at most.
    for (let n = 0; n < 60; n++) (await storage.read('a'))?.body.destroy();
    expect(await readAll(storage, 'a')).toHaveLength(300_000);
  });
});

describe('the spool', () => {
  it('has no file in sight, neither during a write nor after', async () => {
    const { endpoint } = await openServer();
    const storage = open(endpoint);
    const source = new Readable({ read() {} });
    const written = storage.write('a', source);
    source.push(Buffer.alloc(300_000));
    await expect.poll(() => source.readableLength).toBe(0);
    expect(await readdir(spoolDirectory)).toEqual([]);
    source.push(null);
    await written;
    expect(await readdir(spoolDirectory)).toEqual([]);
  });

  it('that cannot be made fails the write and destroys the source', async () => {
    const { endpoint } = await openServer();
    const storage = open(endpoint, '', { spoolDirectory: '/dev/null/spool' });
    const source = Readable.from([Buffer.from('x')]);
    await expect(storage.write('a', source)).rejects.toThrow('could not write "a": ENOTDIR');
    expect(source.destroyed).toBe(true);
  });
});

function open(
  endpoint: string,
  prefix = '',
  more: Partial<Parameters<typeof openS3Storage>[0]> = {},
): Storage {
  const storage = openS3Storage({
    bucket: 'images',
    prefix,
    endpoint,
    region: 'us-east-1',
    credentials: s3Credentials,
    spoolDirectory,
    silenceTimeoutMs: 200,
    ...more,
  });
  onTestFinished(() => storage.close());
  return storage;
}

async function openServer() {
  const server = await openS3Server();
  onTestFinished(() => server.close());
  return server;
}

/** A server that answers what the test says. */
async function serve(answer: RequestListener): Promise<string> {
  return listen(createServer(answer));
}

async function listen(server: Server): Promise<string> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', socket => sockets.add(socket));
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
