import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Listening, listen } from '../../src/listen.ts';
import { createImageHandler } from '../../src/rendering/serve.ts';
import { openDiskStorage } from '../../src/storage/disk.ts';
import { originalKey } from '../../src/storage/keys.ts';
import { type Storage, StorageFailed } from '../../src/storage/storage.ts';
import { waitUntil } from '../support/embedded-service.ts';

const bytes = randomBytes(200_000);
const hash = createHash('sha256').update(bytes).digest('hex');
const etag = `"${hash}"`;
const path = `/images/${hash}.jpg`;
const protection = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'cross-origin-resource-policy': 'cross-origin',
  'access-control-allow-origin': '*',
};
const kept = { ...protection, etag, 'cache-control': 'public, max-age=31536000, immutable' };

let folder: string;
let disk: Storage;
/** What the handler reads from; a test may put another one here. */
let storage: Storage;
let server: Listening;
let logged: { err: { message: string } }[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packshot-serve-'));
  disk = await openDiskStorage(folder);
  await disk.write(originalKey(hash, 'jpg'), bytes);
  const log = pino({ level: 'warn' }, { write: (line: string) => logged.push(JSON.parse(line)) });
  server = await listen(
    (incoming, response) => createImageHandler(storage, log)(incoming, response, incoming.url ?? ''),
    '127.0.0.1',
    0,
  );
});

afterAll(async () => {
  await server.close(0);
  await disk.close();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  storage = disk;
  logged = [];
});

describe('an image that is there', () => {
  test('comes with its type, its length, and leave to keep it for ever', async () => {
    const answer = await ask(path);
    expect(answer.status).toBe(200);
    expect(answer.body.equals(bytes)).toBe(true);
    expect(answer.headers).toMatchObject({
      ...kept,
      'content-type': 'image/jpeg',
      'content-length': String(bytes.length),
    });
  });

  test('shows by HEAD how it is, without being read', async () => {
    storage = { ...disk, read: fail };
    const { status, headers, body } = await ask(path, { method: 'HEAD' });
    expect({ status, length: body.length }).toEqual({ status: 200, length: 0 });
    expect(headers).toMatchObject({ ...kept, 'content-length': String(bytes.length) });
  });

  test.each([
    ['its ETag', etag],
    ['its ETag as a weak one', `W/${etag}`],
    ['its ETag among others', `"other", ${etag}`],
  ])('is not sent to who has %s', async (_what, ifNoneMatch) => {
    storage = { ...disk, read: fail, stat: fail };
    const { status, headers, body } = await ask(path, { headers: { 'if-none-match': ifNoneMatch } });
    expect({ status, length: body.length }).toEqual({ status: 304, length: 0 });
    expect(headers).toMatchObject(kept);
    expect(headers).not.toHaveProperty('content-type');
  });

  test.each(['"other"', hash, `"${hash.slice(1)}"`, ''])('is sent to who has %j', async ifNoneMatch => {
    const { status, body } = await ask(path, { headers: { 'if-none-match': ifNoneMatch } });
    expect({ status, length: body.length }).toEqual({ status: 200, length: bytes.length });
  });

  test('is sent whole to who asks for a part, as HTTP allows', async () => {
    const { status, body } = await ask(path, { headers: { range: 'bytes=0-9' } });
    expect({ status, length: body.length }).toEqual({ status: 200, length: bytes.length });
  });
});

describe('an image that is not there', () => {
  test.each([
    ['an unknown hash', `/images/${'a'.repeat(64)}.jpg`],
    ['the ending of another type', `/images/${hash}.png`],
    ['another spelling of the ending', `/images/${hash}.jpeg`],
    ['a hash in capitals', `/images/${hash.toUpperCase()}.jpg`],
    ['a hash that is too short', `/images/${hash.slice(1)}.jpg`],
    ['something in front', `/images/x${hash}.jpg`],
    ['a line break behind', `/images/${hash}.jpg%0a`],
    ['the name of something of every object', '/images/constructor'],
  ])('is %s', async (_what, spelling) => {
    const { status, headers, body } = await ask(spelling);
    expect({ status, body: String(body) }).toEqual({ status: 404, body: 'No such image\n' });
    expect(headers).toMatchObject({
      ...protection,
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
    });
    expect(headers).not.toHaveProperty('etag');
  });

  test('is so by HEAD too', async () => {
    const { status, body } = await ask(`/images/${'a'.repeat(64)}.jpg`, { method: 'HEAD' });
    expect({ status, length: body.length }).toEqual({ status: 404, length: 0 });
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('cannot be made by %s', async method => {
    const { status, headers } = await ask(path, { method });
    expect(status).toBe(405);
    expect(headers).toMatchObject({ ...protection, allow: 'GET, HEAD', 'cache-control': 'no-store' });
  });
});

describe('a storage that fails', () => {
  test.each(['GET', 'HEAD'])('is a 503 for now, not to be kept, on %s', async method => {
    storage = { ...disk, read: fail, stat: fail };
    const { status, headers } = await ask(path, { method });
    expect(status).toBe(503);
    expect(headers).toMatchObject({ ...protection, 'retry-after': '5', 'cache-control': 'no-store' });
    expect(headers).not.toHaveProperty('etag');
  });

  test('keeps its words for the log', async () => {
    storage = { ...disk, read: fail, stat: fail };
    const { body } = await ask(path);
    expect(String(body)).toBe('The image cannot be read at the moment\n');
    expect(logged).toMatchObject([{ err: { message: expect.stringContaining('EIO on 10.0.0.9') }, path }]);
  });

  test('midway cuts the answer off, so that nobody takes it for whole', async () => {
    storage = {
      ...disk,
      read: async () => ({ body: breakOff(), size: bytes.length, modifiedAt: new Date() }),
    };
    await expect(ask(path)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(logged).toMatchObject([{ err: { message: 'EIO midway' } }]);
    storage = disk;
    expect(await ask(path)).toMatchObject({ status: 200 });
  });
});

test('a client that leaves midway is no failure, and the file is closed', async () => {
  const large = 'c'.repeat(64);
  await disk.write(originalKey(large, 'png'), Buffer.alloc(8_000_000));
  const opened: Readable[] = [];
  storage = {
    ...disk,
    async read(key) {
      const found = await disk.read(key);
      if (found) opened.push(found.body);
      return found;
    },
  };
  const sent = request({ port: server.port, path: `/images/${large}.png` }).end();
  sent.on('error', () => {});
  const [response] = await once(sent, 'response');
  await once(response, 'data');
  sent.destroy();
  await waitUntil(() => opened.some(body => body.closed));
  expect(await ask('/images/none')).toMatchObject({ status: 404 });
  expect(logged).toEqual([]);
});

async function fail(): Promise<never> {
  throw new StorageFailed('could not read', { cause: new Error('EIO on 10.0.0.9') });
}

function breakOff(): Readable {
  let isFirst = true;
  return new Readable({
    read() {
      if (isFirst) this.push(bytes.subarray(0, 1_000));
      else this.destroy(new Error('EIO midway'));
      isFirst = false;
    },
  });
}

interface HttpAnswer {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

async function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<HttpAnswer> {
  const sent = request({ port: server.port, path, ...options }).end();
  const [response] = await once(sent, 'response');
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}
