import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Installation, openInstallation, type Service } from '../support/process.ts';

interface Picture {
  id: string;
  url: string;
  mimeType: string;
  width: number;
  height: number;
  fileSize: number;
  contentHash: string;
}

const wholeStore = `{
  imageCount
  productImages(first: 250) {
    nodes { id productId position type name altText url mimeType width height fileSize contentHash }
  }
}`;

let installation: Installation;
let service: Service;

beforeAll(async () => {
  installation = await openInstallation();
  service = await installation.start();
});

afterAll(async () => installation.close());

describe('the first start without any setting', () => {
  test('keeps its data in .packshot of the folder that it was started in', () => {
    expect(readdirSync(installation.folder)).toEqual(['.packshot']);
    const kept = ['files', 'postgres', 'renditions', 'signing-keys'];
    expect(readdirSync(installation.dataDirectory).toSorted()).toEqual(kept);
  });

  test('serves a sample product over GraphQL', async () => {
    const pictures = await findGallery('101');
    expect(pictures.length).toBeGreaterThan(2);
    for (const { url } of pictures) expect(url).toContain(`${service.url}/images/`);
  });

  test('answers the address of each image with that image', async () => {
    for (const picture of await findGallery('101')) await expectServed(picture);
  });

  test.each(['image/jpeg', 'image/png', 'image/webp'])('has sample pictures of type %s', async mimeType => {
    const pictures = await listPictures();
    const found = pictures.find(picture => picture.mimeType === mimeType);
    await expectServed(found);
  });

  test('logs JSON lines, and nothing else', async () => {
    const log = service.readLog();
    expect(log.length).toBeGreaterThan(2);
    for (const line of log) {
      expect(line).toMatchObject({ level: 30, time: expect.any(String), msg: expect.any(String) });
    }
    const [greeting] = log.filter(({ msg }) => msg !== 'Answered').slice(-1);
    expect(greeting?.msg).toContain(`open ${service.url} in a browser`);
  });
});

describe('a request', () => {
  test.each(['[', 'a b', 'a:99999', '@'])('for the host %s is refused, and shown no stack', async host => {
    const { status, body } = await ask('/graphql?query=%7BimageCount%7D', { headers: { host } });
    expect(body).not.toMatch(/TypeError|node_modules|\.[jt]s:\d/);
    expect(status).toBe(400);
  });
});

describe('a request for an image', () => {
  test('that names the ETag is answered 304, without the bytes', async () => {
    const { path, hash } = await findOne();
    const answer = await ask(path, { headers: { 'if-none-match': `"${hash}"` } });
    expect(answer).toMatchObject({ status: 304, body: '' });
    expect(answer.headers).toMatchObject({
      etag: `"${hash}"`,
      'cache-control': 'public, max-age=31536000, immutable',
    });
  });

  test('by HEAD gets the headers of GET alone', async () => {
    const { path } = await findOne();
    const { headers: ofGet } = await ask(path);
    const head = await ask(path, { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
    const own = { date: '', 'x-request-id': '' };
    expect({ ...head.headers, ...own }).toEqual({ ...ofGet, ...own });
  });

  test.each(['POST', 'PUT', 'DELETE'])('by %s is refused', async method => {
    const { path } = await findOne();
    const answer = await ask(path, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toMatch(/^GET, HEAD/);
  });

  test.each([
    ['another hash', (path: string) => path.replace(/[0-9a-f]{64}/, '0'.repeat(64))],
    ['another ending', (path: string) => path.replace(/\w+$/, 'gif')],
    ['an ending of no image', (path: string) => path.replace(/\w+$/, 'html')],
    ['no ending', (path: string) => path.replace(/\.\w+$/, '')],
    ['a hash in capitals', (path: string) => path.replace(/[0-9a-f]{64}/, hash => hash.toUpperCase())],
    ['no name', () => '/images/'],
    ['no signature', (path: string) => path.replace(/[^/]+\/(?=[^/]+$)/, '')],
    ['more behind', (path: string) => `${path}/`],
    ['a size that nobody gave', (path: string) => `${path}/9x9.jpg`],
    ['dots', () => '/images/../../postgres/cluster/password'],
    ['dots before a name', (path: string) => `/images/..${path}`],
    ['encoded dots', () => '/images/%2e%2e/%2e%2e/postgres/cluster/password'],
    ['encoded slashes', () => '/images/..%2f..%2fpostgres%2fcluster%2fpassword'],
    ['dots encoded twice', () => '/images/%252e%252e/postgres/cluster/password'],
    ['backslashes', () => '/images/..\\..\\postgres\\cluster\\password'],
    ['the path of the file', () => '/images/originals/ab/HASH.jpg'],
    ['a second slash', (path: string) => path.replace('/images/', '/images//')],
    ['a zero byte', (path: string) => `${path}%00`],
  ])('with %s is refused, and told nothing else', async (_what, spell) => {
    const { path } = await findOne();
    const answer = await ask(spell(path));
    expect(answer).toMatchObject({ status: 403, body: 'This address is not valid\n' });
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'no-store',
    });
  });
});

describe('the second start', () => {
  let before: { data: unknown; files: string[] };

  beforeAll(async () => {
    before = { data: await describeStore(), files: listFiles() };
    await service.stop();
    service = await installation.start();
  });

  test('takes less than ten seconds', () => {
    expect(service.startedInMs).toBeLessThan(10_000);
  });

  test('shows the same data', async () => {
    expect(await describeStore()).toEqual(before.data);
    for (const picture of await findGallery('101')) await expectServed(picture);
  });

  test('draws nothing again', () => {
    expect(service.hasLogged('Drawing')).toBe(false);
    expect(listFiles()).toEqual(before.files);
  });
});

async function findGallery(productId: string): Promise<Picture[]> {
  const { product } = await service.query<{ product: { images: { nodes: Picture[] } } }>(
    `query ($productId: ID!) {
      product(id: $productId) {
        images(first: 50) { nodes { id url mimeType width height fileSize contentHash } }
      }
    }`,
    { productId },
  );
  return product.images.nodes;
}

interface Store {
  imageCount: number;
  productImages: { nodes: Picture[] };
}

async function listPictures(): Promise<Picture[]> {
  const store = await service.query<Store>(wholeStore);
  expect(store.productImages.nodes).toHaveLength(store.imageCount);
  return store.productImages.nodes;
}

/** All that the API tells of the store; the port is another at each start. */
async function describeStore(): Promise<string> {
  const store = JSON.stringify(await service.query(wholeStore));
  return store.replaceAll(service.url, '');
}

async function expectServed(picture: Picture | undefined): Promise<void> {
  if (!picture) throw new Error('there is no such picture');
  const response = await fetch(picture.url);
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': picture.mimeType,
    'content-length': String(picture.fileSize),
    etag: `"${picture.contentHash}"`,
    'cache-control': 'public, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(picture.contentHash);
  const { info } = await sharp(bytes, { failOn: 'warning' }).raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: picture.width, height: picture.height });
}

async function findOne(): Promise<{ path: string; hash: string }> {
  const [picture] = await findGallery('101');
  if (!picture) throw new Error('product 101 has no image');
  return { path: new URL(picture.url).pathname, hash: picture.contentHash };
}

interface HttpAnswer {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Sends the path as it is spelled, which fetch would not. */
async function ask(path: string, options: { method?: string; headers?: object } = {}): Promise<HttpAnswer> {
  const { method, headers } = options;
  const sent = request(service.url, { path, method, headers: { ...headers } }).end();
  const [response] = await once(sent, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

function listFiles(): string[] {
  const folder = join(installation.dataDirectory, 'files');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map(name => `${name} ${statSync(join(folder, name)).mtimeMs}`);
}
