import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ImageAddress } from '../../src/rendering/address.ts';
import { createSigner } from '../../src/rendering/signature.ts';
import { originalKey } from '../../src/storage/keys.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { waitUntil } from '../support/embedded-service.ts';
import { breakOff, failing } from '../support/failing-storage.ts';
import {
  type AskOptions,
  type HttpAnswer,
  type ImageServer,
  openImageServer,
  recipeOf,
} from '../support/image-server.ts';
import { paintNoise } from '../support/painted-image.ts';

const protection = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'cross-origin-resource-policy': 'cross-origin',
  'access-control-allow-origin': '*',
};
const forEver = 'public, max-age=31536000, immutable';

let server: ImageServer;
let bytes: Buffer;
let hash: string;
let paths: Record<'original' | 'download' | 'rendition' | 'negotiated', string>;

beforeAll(async () => {
  server = await openImageServer();
  bytes = await paintNoise().png().toBuffer();
  hash = await server.store(bytes, 'png');
  const original = { hash, extension: 'png' } as const;
  paths = {
    original: server.path({ kind: 'original', ...original }),
    download: server.path({ kind: 'download', ...original, name: 'a.png', expiresAt: inAnHour() }),
    rendition: server.path({ kind: 'rendition', ...original, recipe: recipeOf(60, 40) }),
    negotiated: server.path({
      kind: 'rendition',
      ...original,
      recipe: recipeOf(60, 40, { negotiated: true, encoding: 'png' }),
    }),
  };
});
afterAll(() => server.close());

beforeEach(() => {
  server.storage = server.disk;
  server.logged.length = 0;
  server.renders.length = 0;
});

const kinds = ['original', 'download', 'rendition', 'negotiated'] as const;

describe.each(kinds)('an answer for an address of the kind %s', kind => {
  const get = (options?: AskOptions) => server.ask(paths[kind], options);

  test('cannot be taken for a page', async () => {
    expect(await get()).toMatchObject({ status: 200, headers: protection });
  });

  test('has an ETag, with which it is not sent again, nor is anything read or made', async () => {
    const { headers } = await get();
    server.storage = failing(server.disk);
    server.renders.length = 0;
    for (const known of [`${headers.etag}`, `W/${headers.etag}`, `"other", ${headers.etag}`, '*']) {
      const answer = await get({ headers: { 'if-none-match': known } });
      expect(answer).toMatchObject({ status: 304, headers: { ...protection, etag: headers.etag } });
      expect(answer.headers['cache-control']).toMatch(/max-age=\d+/);
      expect(answer.headers).not.toHaveProperty('content-type');
      expect(answer.headers.vary).toBe(headers.vary);
      expect(answer.body).toHaveLength(0);
    }
    expect(server.renders).toEqual([]);
  });

  test.each(['"other"', 'nothing', ''])('is sent whole to who has %j', async known => {
    expect(await get({ headers: { 'if-none-match': known } })).toMatchObject({ status: 200 });
  });

  test('has by HEAD the same headers, and no body', async () => {
    const whole = await get();
    const head = await get({ method: 'HEAD' });
    expect(withoutTime(head)).toEqual({ ...withoutTime(whole), body: Buffer.alloc(0) });
    expect(head.headers['content-length']).toBe(String(whole.body.length));
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('is not to be had by %s', async method => {
    const answer = await get({ method });
    expect(answer).toMatchObject({
      status: 405,
      headers: { ...protection, allow: 'GET, HEAD, OPTIONS', 'cache-control': 'no-store' },
    });
  });

  test('may be read by the pages of any site, also with headers of their own', async () => {
    const answer = await get({ method: 'OPTIONS' });
    expect(answer).toMatchObject({
      status: 204,
      headers: {
        ...protection,
        'access-control-allow-methods': 'GET, HEAD',
        'access-control-allow-headers': '*',
      },
    });
  });

  test('is the same 403 for a signature of another key, another spelling and no signature', async () => {
    const path = paths[kind];
    const foreign = createSigner([{ id: 'new', secret: 'the secret of somebody else, long enough' }]);
    const content = path.split('/').slice(3).join('/');
    const answers = await Promise.all(
      [
        `/images/${foreign.sign(content)}/${content}`,
        `/images/${content}`,
        path.replace('/images/new.', '/images/old.'),
        path.replace('/images/new.', '/images/none.'),
        path.replace(hash, hash.toUpperCase()),
        `${path}/`,
        path.slice(0, -1),
        path.replace('.png', '%2Epng'),
        '/images/constructor',
        '/images/',
      ].map(spelling => server.ask(spelling)),
    );
    expect(new Set(answers.map(answer => JSON.stringify(withoutTime(answer))))).toHaveLength(1);
    expect(answers[0]).toMatchObject({
      status: 403,
      headers: { ...protection, 'cache-control': 'no-store', 'content-type': 'text/plain; charset=utf-8' },
      body: Buffer.from('This address is not valid\n'),
    });
    expect(server.renders).toEqual([]);
  });
});

describe('an original', () => {
  test('comes as it was stored, to be kept for ever', async () => {
    const { headers, body } = await server.ask(paths.original);
    expect(body.equals(bytes)).toBe(true);
    expect(headers).toMatchObject({
      etag: `"${hash}"`,
      'cache-control': forEver,
      'content-type': 'image/png',
      'content-length': String(bytes.length),
      'accept-ranges': 'bytes',
    });
    expect(headers).not.toHaveProperty('vary');
  });

  test('is not read for HEAD', async () => {
    server.storage = { ...server.disk, read: failing(server.disk).read };
    expect(await server.ask(paths.original, { method: 'HEAD' })).toMatchObject({ status: 200 });
  });
});

describe.each(['original', 'download'] as const)('a part of an %s', kind => {
  const part = (range: string, headers: Record<string, string> = {}) =>
    server.ask(paths[kind], { headers: { range, ...headers } });

  test.each([
    ['the first', 'bytes=0-9', 0, 10],
    ['one in the middle', 'bytes=100-199', 100, 200],
    ['the last', 'bytes=-1', -1, undefined],
    ['the last hundred', 'bytes=-100', -100, undefined],
    ['all from one on', 'bytes=50-', 50, undefined],
    ['more than there is', 'bytes=50-99999999', 50, undefined],
    ['a longer end than there is', 'bytes=-99999999', 0, undefined],
  ])('comes alone: %s', async (_what, range, start, end) => {
    const expected = bytes.subarray(start, end);
    const first = start < 0 ? bytes.length + start : start;
    const answer = await part(range);
    expect(answer).toMatchObject({
      status: 206,
      headers: {
        ...protection,
        etag: `"${hash}"`,
        'content-range': `bytes ${first}-${first + expected.length - 1}/${bytes.length}`,
        'content-length': String(expected.length),
        'content-type': 'image/png',
      },
    });
    expect(answer.body.equals(expected)).toBe(true);
  });

  test('that begins past the end is a 416 that tells the length', async () => {
    const answer = await part(`bytes=${bytes.length}-`);
    expect(answer).toMatchObject({
      status: 416,
      headers: { ...protection, 'content-range': `bytes */${bytes.length}`, 'cache-control': 'no-store' },
    });
    expect(String(answer.body)).toContain(`has ${bytes.length} bytes`);
  });

  test.each(['bytes=0-1,5-6', 'bytes=9-3', 'items=0-1', 'nonsense'])('is all for %j', async range => {
    const answer = await part(range);
    expect(answer.status).toBe(200);
    expect(answer.body.equals(bytes)).toBe(true);
  });

  test('comes if the client has the same ETag', async () => {
    expect(await part('bytes=0-9', { 'if-range': `"${hash}"` })).toMatchObject({ status: 206 });
  });

  test.each([
    ['has another ETag', '"other"'],
    ['has the ETag as a weak one', () => `W/"${hash}"`],
    ['goes by a time', 'Wed, 21 Oct 2026 07:28:00 GMT'],
  ])('is all if the client %s', async (_what, ifRange) => {
    const known = typeof ifRange === 'string' ? ifRange : ifRange();
    expect(await part('bytes=0-9', { 'if-range': known })).toMatchObject({ status: 200 });
  });

  test('gives way to an ETag that is known', async () => {
    expect(await part('bytes=0-9', { 'if-none-match': `"${hash}"` })).toMatchObject({ status: 304 });
  });

  test('is not what HEAD asks for', async () => {
    const answer = await server.ask(paths[kind], { method: 'HEAD', headers: { range: 'bytes=0-9' } });
    expect(answer).toMatchObject({ status: 200, headers: { 'content-length': String(bytes.length) } });
  });
});

describe('a download', () => {
  const download = (name: string, expiresAt = inAnHour()) =>
    server.path({ kind: 'download', hash, extension: 'png', name, expiresAt });

  test('is an attachment of the original bytes, kept by the browser alone while its address is good', async () => {
    const { headers, body } = await server.ask(paths.download);
    expect(body.equals(bytes)).toBe(true);
    expect(headers).toMatchObject({ 'content-type': 'image/png', 'content-disposition': /^attachment/ });
    const seconds = Number(/^private, max-age=(\d+)$/.exec(headers['cache-control'] ?? '')?.[1]);
    expect(seconds).toBeGreaterThan(3_500);
    expect(seconds).toBeLessThanOrEqual(3_600);
  });

  test.each([
    ['sofa.png', 'attachment; filename=sofa.png'],
    ['sofa front.png', 'attachment; filename="sofa front.png"'],
    ['a"b\\c.png', 'attachment; filename="a\\"b\\\\c.png"'],
    ['диван.png', `attachment; filename="?????.png"; filename*=UTF-8''${encodeURIComponent('диван')}.png`],
    ['写真.png', `attachment; filename="??.png"; filename*=UTF-8''${encodeURIComponent('写真')}.png`],
    [
      'a\r\nset-cookie: x.png',
      /^attachment; filename="a\?\?set-cookie: x\.png"; filename\*=UTF-8''a%0D%0Aset-/,
    ],
    ['100%41.png', /^attachment; filename="?100%41\.png"?; filename\*=UTF-8''100%2541\.png$/],
  ])('bears the name %j', async (name, expected) => {
    const { status, headers } = await server.ask(download(name));
    expect(status).toBe(200);
    expect(headers['content-disposition']).toMatch(expected);
    expect(headers).not.toHaveProperty('set-cookie');
  });

  test('that has expired is told as one that was forged', async () => {
    const expired = await server.ask(download('a.png', new Date(Date.now() - 1_000)));
    const forged = await server.ask(paths.download.replace(/new\../, 'new.!'));
    expect(withoutTime(expired)).toEqual(withoutTime(forged));
    expect(expired).toMatchObject({ status: 403, body: Buffer.from('This address is not valid\n') });
  });

  test('that has expired is not there for who knows its ETag, either', async () => {
    const path = download('a.png', new Date(Date.now() - 1_000));
    expect(await server.ask(path, { headers: { 'if-none-match': `"${hash}"` } })).toMatchObject({
      status: 403,
    });
  });
});

describe('a rendition', () => {
  test('comes in its own size and encoding, to be kept for ever', async () => {
    const { headers, body } = await server.ask(paths.rendition);
    expect(headers).toMatchObject({
      'content-type': 'image/jpeg',
      'content-length': String(body.length),
      'cache-control': forEver,
    });
    expect(headers).not.toHaveProperty('vary');
    expect(await sharp(body).metadata()).toMatchObject({ format: 'jpeg', width: 60, height: 40 });
  });

  test('is made once', async () => {
    const path = server.path({ kind: 'rendition', hash, extension: 'png', recipe: recipeOf(61, 41) });
    const first = await server.ask(path);
    const second = await server.ask(path);
    expect(second.body.equals(first.body)).toBe(true);
    expect(server.renders).toHaveLength(1);
  });

  test('has an ETag of its own', async () => {
    const other = server.path({
      kind: 'rendition',
      hash,
      extension: 'png',
      recipe: recipeOf(60, 40, { quality: 30 }),
    });
    const etags = await Promise.all([paths.rendition, other, paths.original].map(etagOf));
    expect(new Set(etags)).toHaveLength(3);
  });

  test('takes a signature of a key that is no longer used to sign', async () => {
    const content = paths.rendition.split('/').slice(3).join('/');
    const former = createSigner([{ id: 'old', secret: 'the one that was in use before that one' }]);
    expect(await server.ask(`/images/${former.sign(content)}/${content}`)).toMatchObject({ status: 200 });
  });
});

describe('a negotiated rendition', () => {
  test.each([
    [undefined, 'image/png', '\x89PNG'],
    ['*/*', 'image/png', '\x89PNG'],
    ['image/webp,*/*', 'image/webp', 'WEBP'],
    ['image/avif,image/webp,*/*', 'image/avif', 'ftypavif'],
    ['image/avif;q=0,image/webp;q=0', 'image/png', '\x89PNG'],
    [';;;,,"\\', 'image/png', '\x89PNG'],
  ])('for %j is %s, and says on what that hangs', async (accept, type, mark) => {
    const { status, headers, body } = await server.ask(paths.negotiated, {
      headers: accept ? { accept } : {},
    });
    expect({ status, type: headers['content-type'], vary: headers.vary }).toEqual({
      status: 200,
      type,
      vary: 'Accept',
    });
    expect(body.toString('latin1', 0, 12)).toContain(mark);
  });

  test('has an ETag for each encoding', async () => {
    const accepts = ['*/*', 'image/webp', 'image/avif'];
    const answers = await Promise.all(
      accepts.map(accept => server.ask(paths.negotiated, { headers: { accept } })),
    );
    expect(new Set(answers.map(({ headers }) => headers.etag))).toHaveLength(3);
    const png = answers[0]?.headers.etag ?? '';
    const headers = { accept: 'image/webp', 'if-none-match': png };
    expect(await server.ask(paths.negotiated, { headers })).toMatchObject({ status: 200 });
  });

  test('says so on its errors too', async () => {
    const absent = server.path({
      kind: 'rendition',
      hash: 'a'.repeat(64),
      extension: 'png',
      recipe: recipeOf(60, 40, { negotiated: true }),
    });
    expect(await server.ask(absent)).toMatchObject({ status: 404, headers: { vary: 'Accept' } });
    const posted = await server.ask(paths.negotiated, { method: 'POST' });
    expect(posted).toMatchObject({ status: 405, headers: { vary: 'Accept' } });
  });
});

describe('an original that is not there', () => {
  const absent = { hash: 'a'.repeat(64), extension: 'png' } as const;
  const addresses: ImageAddress[] = [
    { kind: 'original', ...absent },
    { kind: 'download', ...absent, name: 'a.png', expiresAt: inAnHour() },
    { kind: 'rendition', ...absent, recipe: recipeOf(10, 10) },
  ];

  test.each(addresses)('is a 404 that is not to be kept: $kind', async address => {
    for (const options of [{}, { method: 'HEAD' }, { headers: { range: 'bytes=0-1' } }]) {
      const { status, headers } = await server.ask(server.path(address), options);
      expect(status).toBe(404);
      expect(headers).toMatchObject({ ...protection, 'cache-control': 'no-store' });
      expect(headers).not.toHaveProperty('etag');
    }
  });
});

describe('a storage that fails', () => {
  test.each([{}, { method: 'HEAD' }, { headers: { range: 'bytes=0-1' } }])(
    'is a 503 for now, not to be kept, for %j',
    async options => {
      server.storage = failing(server.disk);
      const { status, headers } = await server.ask(paths.original, options);
      expect(status).toBe(503);
      expect(headers).toMatchObject({ ...protection, 'retry-after': '5', 'cache-control': 'no-store' });
      expect(headers).not.toHaveProperty('etag');
    },
  );

  test('keeps its words for the log', async () => {
    server.storage = failing(server.disk);
    const { body } = await server.ask(paths.original);
    expect(String(body)).toBe('The image cannot be read at the moment\n');
    expect(server.logged).toMatchObject([
      { err: { message: expect.stringContaining('EIO on 10.0.0.9') }, path: paths.original },
    ]);
  });

  test('midway cuts the answer off, so that nobody takes it for whole', async () => {
    server.storage = {
      ...server.disk,
      read: async () => ({ body: breakOff(), size: bytes.length, modifiedAt: new Date() }),
    };
    await expect(server.ask(paths.original)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(server.logged).toMatchObject([{ err: { message: 'EIO midway' } }]);
    server.storage = server.disk;
    expect(await server.ask(paths.original)).toMatchObject({ status: 200 });
  });

  test('is a 503 for a rendition, too', async () => {
    const failed = await openImageServer({ renderer: { storage: failing(server.disk) } });
    failed.storage = failing(server.disk);
    const path = failed.path({ kind: 'rendition', hash, extension: 'png', recipe: recipeOf(60, 40) });
    expect(await failed.ask(path)).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    await failed.close();
  });
});

test('an original that cannot be decoded is a 500 without the words of the decoder', async () => {
  const broken = await server.store(Buffer.from('no picture at all'), 'jpg');
  const path = server.path({ kind: 'rendition', hash: broken, extension: 'jpg', recipe: recipeOf(9, 9) });
  const { status, headers, body } = await server.ask(path);
  expect({ status, body: String(body) }).toEqual({ status: 500, body: 'The image could not be made\n' });
  expect(headers).toMatchObject({ ...protection, 'cache-control': 'no-store' });
  expect(server.logged).toHaveLength(1);
});

describe('a client', () => {
  let large: string;
  let opened: Readable[];

  beforeAll(async () => {
    const noise = randomBytes(8_000_000);
    large = createHash('sha256').update(noise).digest('hex');
    await server.disk.write(originalKey(large, 'png'), noise);
  });
  beforeEach(() => {
    opened = [];
    server.storage = watched(server.disk, opened);
  });

  test('that leaves midway is no failure, and the file is closed', async () => {
    const path = server.path({ kind: 'original', hash: large, extension: 'png' });
    const sent = request({ port: server.port, path }).end();
    sent.on('error', () => {});
    const [response] = await once(sent, 'response');
    await once(response, 'data');
    sent.destroy();
    await waitUntil(() => opened.length === 1 && opened.every(body => body.closed));
    expect(await server.ask(paths.original)).toMatchObject({ status: 200 });
    expect(server.logged).toEqual([]);
  });

  test('that reads slowly holds little memory and keeps nobody waiting', async () => {
    const path = server.path({ kind: 'original', hash: large, extension: 'png' });
    const slow = connect(server.port, '127.0.0.1');
    slow.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await once(slow, 'readable');
    expect(await server.ask(paths.original)).toMatchObject({ status: 200 });
    // What the two ends of the connection buffer is the kernel's; the rest waits in the file.
    expect(opened[0]?.readableEnded).toBe(false);
    expect(opened[0]?.readableLength).toBeLessThan(300_000);
    slow.destroy();
    await waitUntil(() => opened.every(body => body.closed));
  });
});

function watched(storage: Storage, opened: Readable[]): Storage {
  return {
    ...storage,
    async read(key, range) {
      const found = await storage.read(key, range);
      if (found) opened.push(found.body);
      return found;
    },
  };
}

async function etagOf(path: string): Promise<string | undefined> {
  return (await server.ask(path)).headers.etag;
}

/** To the second, as addresses are. */
function inAnHour(): Date {
  return new Date(Math.floor(Date.now() / 1_000) * 1_000 + 3_600_000);
}

/** The hour may strike, or a second pass, between two requests. */
function withoutTime({ status, headers, body }: HttpAnswer) {
  const { date: _date, 'cache-control': caching, ...others } = headers;
  return {
    status,
    headers: { ...others, caching: caching?.replace(/^(private, max-age=)\d+$/, '$1…') },
    body,
  };
}
