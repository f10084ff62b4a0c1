import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startSweepingUploads } from '../../src/graphql/upload-folders.ts';
import { pngChunk } from '../support/broken-images.ts';
import {
  checkStored,
  fetchBytes,
  hashOf,
  importedFields,
  listStored,
  readSet,
  sendFiles,
  sendForm,
  type Uploaded,
  upload,
} from '../support/import-service.ts';
import { openInstallationForTest } from '../support/process.ts';
import { createTestDatabase, openTestService, type TestService } from '../support/service.ts';
import { drawPicture } from '../support/stored-images.ts';

const maxBytes = 100_000;

let service: TestService;
let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'packshot-uploads-'));
  vi.stubEnv('TMPDIR', temporary);
  service = await openTestService({ MAX_FILE_BYTES: String(maxBytes), MAX_UPLOADS: '5' });
});
afterAll(async () => {
  await service.close();
  vi.unstubAllEnvs();
  await rm(temporary, { recursive: true });
});

let lastProduct = 23_000_000_000;
const newProduct = () => String(++lastProduct);
const listTemporary = async () =>
  (await readdir(temporary)).filter(name => name.startsWith('packshot-upload-'));

const replaceDocument = `mutation ($input: ReplaceProductImagesInput!) { replaceProductImages(input: $input) {
  images { ${importedFields} } added { ${importedFields} } kept { ${importedFields} }
  userErrors { code path message } } }`;

async function replaceByFiles(productId: string, pictures: readonly Uint8Array[]): Promise<Uploaded> {
  const { data, errors } = await sendFiles<{ replaceProductImages: Uploaded }>(
    service,
    replaceDocument,
    { input: { productId, images: pictures.map(() => ({ source: { file: null } })) } },
    pictures.map((bytes, index) => ({
      ...{ name: `${index}.png`, bytes },
      path: `variables.input.images.${index}.source.file`,
    })),
  );
  if (errors) throw new Error(JSON.stringify(errors));
  return data.replaceProductImages;
}

describe('an upload', () => {
  test('is measured, stored and served when the answer comes', async () => {
    const bytes = await drawPicture('#345678');
    const { image } = await upload(service, newProduct(), 'chair.png', bytes);
    expect(image).toMatchObject({
      ...{ state: 'UPLOADED', failure: null, name: 'chair.png', width: 40, height: 30 },
      ...{ mimeType: 'image/png', fileSize: bytes.length, contentHash: hashOf(bytes), sourceUrl: null },
    });
    expect((await fetchBytes({ url: image?.url ?? null })).equals(bytes)).toBe(true);
  });

  test.each([
    ['靴-кресло-كرسي-🪑.jpg', '靴-кресло-كرسي-🪑.jpg'],
    ["a 'quoted' name; with = signs, and more.png", "a 'quoted' name; with = signs, and more.png"],
    ['100%25 é.png', '100%25 é.png'],
    [`${'n'.repeat(296)}.png`, `${'n'.repeat(251)}.png`],
    [`${'靴'.repeat(296)}.png`, `${'靴'.repeat(251)}.png`],
    ['', 'image'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\pictures\\chair.png', 'chair.png'],
    ['..', 'image'],
  ])('named %j is called %j', async (given, name) => {
    const { image, userErrors } = await upload(service, newProduct(), given, await drawPicture('#345678'));
    expect(userErrors).toEqual([]);
    expect(image?.name).toBe(name);
  });

  test('larger than allowed is a user error, also when it is a hundred times larger', async () => {
    for (const size of [maxBytes + 1, maxBytes * 100]) {
      const { image, userErrors } = await upload(service, newProduct(), 'big.png', Buffer.alloc(size));
      expect(image).toBeNull();
      expect(userErrors).toEqual([
        {
          code: 'FILE_TOO_LARGE',
          path: ['input', 'source', 'file'],
          message: `file has more than ${maxBytes} bytes; at most that many are taken`,
        },
      ]);
    }
  });

  test('as large as allowed is taken', async () => {
    const small = await drawPicture('#345679');
    const bytes = Buffer.concat([small, Buffer.alloc(maxBytes - small.length)]);
    const { image } = await upload(service, newProduct(), 'full.png', bytes);
    expect(image).toMatchObject({ state: 'UPLOADED', fileSize: maxBytes });
  });

  test('that is no image is a user error', async () => {
    const { userErrors } = await upload(service, newProduct(), 'a.png', Buffer.from('<svg/>'));
    expect(userErrors).toMatchObject([{ code: 'UNSUPPORTED_TYPE', path: ['input', 'source', 'file'] }]);
  });

  test('that does not come into being leaves no bytes for good', async () => {
    const bytes = await drawPicture('#020304');
    const { userErrors } = await upload(service, 'no id', 'a.png', bytes);
    expect(userErrors).toMatchObject([{ code: 'INVALID' }]);
    const { image } = await upload(service, newProduct(), 'a.png', bytes);
    expect(image?.state).toBe('UPLOADED');
  });
});

describe('several files in a replacement', () => {
  test('come in their order, and the same bytes anew change nothing', async () => {
    const productId = newProduct();
    const pictures = await Promise.all(['#111111', '#222222', '#333333'].map(drawPicture));
    const first = await replaceByFiles(productId, pictures);
    expect(first.userErrors).toEqual([]);
    expect(first.images.map(image => image.contentHash)).toEqual(pictures.map(hashOf));
    const second = await replaceByFiles(productId, pictures);
    expect(second.added).toEqual([]);
    expect(second.kept.map(({ id }) => id)).toEqual(first.images.map(({ id }) => id));
  });

  test('with the same bytes are one file on products apart', async () => {
    const bytes = await drawPicture('#999999');
    const before = await listStored(service);
    await Promise.all([1, 2, 3].map(() => replaceByFiles(newProduct(), [bytes])));
    expect((await listStored(service)).length - before.length).toBe(1);
  });

  test('with the same bytes twice in one set are told', async () => {
    const bytes = await drawPicture('#888888');
    const { userErrors } = await replaceByFiles(newProduct(), [bytes, bytes]);
    expect(userErrors).toMatchObject([{ code: 'DUPLICATE_INPUT', path: ['input', 'images', '1', 'source'] }]);
  });

  test('are told all together, each with its path', async () => {
    const productId = newProduct();
    const fine = await drawPicture('#777777');
    const { userErrors } = await replaceByFiles(productId, [
      Buffer.alloc(maxBytes + 1),
      fine,
      Buffer.from('%PDF-'),
    ]);
    expect(userErrors.map(({ code, path }) => [code, path.join('.')])).toEqual([
      ['FILE_TOO_LARGE', 'input.images.0.source.file'],
      ['UNSUPPORTED_TYPE', 'input.images.2.source.file'],
    ]);
    expect(await readSet(service, productId)).toEqual([]);
  });
});

describe('a malformed multipart request', () => {
  const query = `mutation ($input: CreateProductImageInput!) { createProductImage(input: $input) { image { id } userErrors { code } } }`;
  const operations = JSON.stringify({
    query,
    variables: { input: { productId: '1', source: { file: null } } },
  });
  const map = '{"0":["variables.input.source.file"]}';
  const build = (fields: Record<string, string>, files = 1) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    for (let index = 0; index < files; index += 1) form.set(String(index), new Blob(['x']), 'a.png');
    return form;
  };
  const at = (path: unknown) => build({ operations, map: JSON.stringify({ 0: path }) });
  const proto = (text: string, path: string) =>
    build({
      operations: operations.replace('"variables":{', `"variables":{${text},`),
      map: JSON.stringify({ 0: [path] }),
    });

  test.each<[string, () => FormData, RegExp]>([
    ['no operations', () => build({ map }), /field operations is missing/],
    ['no map', () => build({ operations }), /field map is missing/],
    ['neither', () => build({}), /field operations is missing/],
    [
      'bad JSON for operations',
      () => build({ operations: '{"query"', map }),
      /operations must be a JSON object/,
    ],
    ['bad JSON for map', () => build({ operations, map: '{' }), /map must be a JSON object/],
    [
      'a list of operations',
      () => build({ operations: `[${operations}]`, map }),
      /operations must be a JSON object/,
    ],
    ['null for operations', () => build({ operations: 'null', map }), /operations must be a JSON object/],
    ['a map of no lists', () => at('variables.input.source.file'), /no list of paths for "0"/],
    [
      'a map to a part that is not there',
      () => build({ operations, map: '{"7":["variables.input.source.file"]}' }),
      /part "7", which has no file/,
    ],
    ['a path to what is no null', () => at(['variables.input.productId']), /operations have no null/],
    ['a path to nothing', () => at(['variables.input.source.other']), /operations have no null/],
    ['a path out of the variables', () => at(['query']), /operations have no null/],
    ['a path to the variables as a whole', () => at(['variables']), /operations have no null/],
    ['an empty path', () => at(['']), /operations have no null/],
    ['a path that is no text', () => at([null]), /operations have no null/],
    [
      'a path twice',
      () => at(['variables.input.source.file', 'variables.input.source.file']),
      /operations have no null/,
    ],
    ['a path to a prototype', () => at(['variables.__proto__']), /operations have no null/],
    ['a path through a prototype', () => at(['variables.__proto__.file']), /operations have no null/],
    [
      'a path through a constructor',
      () => at(['variables.constructor.prototype.file']),
      /operations have no null/,
    ],
    ['a path into a text', () => at(['variables.input.productId.0']), /operations have no null/],
    ['more files than allowed', () => build({ operations, map }, 6), /more than 5 files in one request/],
  ])('%s is a 400 that says so', async (_name, form, message) => {
    const { status, errors } = await sendForm(service, form());
    expect(status).toBe(400);
    expect(errors).toMatchObject([
      { message: expect.stringMatching(message), extensions: { code: 'BAD_REQUEST' } },
    ]);
  });

  test('cannot reach a prototype by a key of that name', async () => {
    await sendForm(service, proto('"__proto__":null', 'variables.__proto__'));
    await sendForm(service, proto('"__proto__":{"polluted":null}', 'variables.__proto__.polluted'));
    expect('polluted' in {}).toBe(false);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });

  test.each([
    ['no header that a form cannot send', {}],
    ['but what browsers send by themselves', { cookie: 'a=b', 'accept-language': 'de' }],
  ])('with %s is refused, as a foreign page might have sent it', async (_name, headers) => {
    const { status, errors } = await sendForm(
      service,
      build({ operations, map }),
      headers as Record<string, string>,
    );
    expect(status).toBe(400);
    expect(errors?.[0]?.message).toMatch(
      /needs a header that no form can send, such as graphql-require-preflight: 1/,
    );
  });

  const raw = (body: BodyInit, type = 'multipart/form-data; boundary=b') =>
    sendForm(service, body, { 'content-type': type, 'graphql-require-preflight': '1' });
  const part = (name: string, text: string) =>
    `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`;

  test('that is not UTF-8 is a 400 that says so', async () => {
    const said = operations.replace('"productId":"1"', '"productId":"1","altText":"\xe4"');
    const whole = `${part('operations', said)}${part('map', map)}--b\r\ncontent-disposition: form-data; name="0"; filename="a"\r\n\r\nabc\r\n--b--`;
    expect((await raw(whole)).status).toBe(200);
    const { status, errors } = await raw(Buffer.from(whole, 'latin1'));
    expect(status).toBe(400);
    expect(errors).toMatchObject([
      {
        message: 'Multipart: operations holds bytes that are not UTF-8; send it as UTF-8',
        extensions: { code: 'BAD_REQUEST' },
      },
    ]);
  });

  test.each([
    ['without a boundary', () => raw('--b--', 'multipart/form-data')],
    ['of nothing', () => raw('')],
    ['of something else', () => raw('{}')],
    ['that ends in the middle of a field', () => raw(part('operations', operations).slice(0, -20))],
    ['that ends before its end', () => raw(part('operations', operations) + part('map', map))],
    [
      'that ends in the middle of a file',
      () =>
        raw(
          `${part('operations', operations)}${part('map', map)}--b\r\ncontent-disposition: form-data; name="0"; filename="a"\r\n\r\nabc`,
        ),
    ],
    [
      'with two fields of one name',
      () => raw(`${part('operations', operations)}${part('operations', operations)}${part('map', map)}--b--`),
    ],
    [
      'with two files in one part',
      () => {
        const file = 'content-disposition: form-data; name="0"; filename="a"\r\n\r\nabc\r\n';
        return raw(`${part('operations', operations)}${part('map', map)}--b\r\n${file}--b\r\n${file}--b--`);
      },
    ],
    ['with a head that does not end', () => raw(`--b\r\n${'x'.repeat(200_000)}`)],
    ['with too large a field', () => raw(`${part('operations', `{"a":"${'x'.repeat(5_000_000)}"}`)}--b--`)],
  ])('%s is a 400', { timeout: 5_000 }, async (_name, send) => {
    const { status, errors } = await send();
    expect(status).toBe(400);
    expect(errors?.[0]?.extensions.code).toBe('BAD_REQUEST');
  });
});

/** A request that stays open after `parts`. */
async function begin(
  parts: readonly Buffer[],
  headers: Record<string, string> = { 'content-length': '10000000' },
) {
  const sending = request(`${service.url}/graphql`, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'multipart/form-data; boundary=b', 'graphql-require-preflight': '1' },
      ...headers,
    },
  });
  sending.on('error', () => {});
  for (const part of parts) sending.write(part);
  await vi.waitFor(async () => expect(await listTemporary()).not.toEqual([]));
  return sending;
}

const fileHead = (name: string) =>
  Buffer.from(`--b\r\ncontent-disposition: form-data; name="${name}"; filename="a.png"\r\n\r\n`);

describe('a folder for files that come', () => {
  test('that cannot be made is told as something that passes', async () => {
    vi.stubEnv('TMPDIR', join(temporary, 'gone'));
    const bytes = await drawPicture('#000009');
    const document = `mutation ($input: CreateProductImageInput!) { createProductImage(input: $input) { image { id } } }`;
    const ask = () =>
      sendFiles(service, document, { input: { productId: '1', source: { file: null } } }, [
        { name: 'a.png', bytes, path: 'variables.input.source.file' },
      ]);
    const { status, errors, retryAfter } = await ask();
    vi.stubEnv('TMPDIR', temporary);
    expect([status, retryAfter]).toEqual([503, '5']);
    expect(errors).toMatchObject([
      {
        message: 'Files cannot be taken at the moment; try again.',
        extensions: { code: 'SERVICE_UNAVAILABLE' },
      },
    ]);
    expect((await ask()).status).toBe(200);
  });

  test('that a killed process left behind goes, and none that may be in use', async () => {
    const [old, young, notOurs] = ['packshot-upload-old', 'packshot-upload-new', 'somebody-elses'].map(name =>
      join(temporary, name),
    ) as [string, string, string];
    for (const folder of [old, young, notOurs]) {
      await mkdir(folder);
      await writeFile(join(folder, '0'), 'bytes');
    }
    const hourAgo = new Date(Date.now() - 3_600_000);
    for (const folder of [old, notOurs]) await utimes(folder, hourAgo, hourAgo);
    const sweeping = startSweepingUploads();
    await vi.waitFor(async () => expect(await readdir(temporary)).not.toContain('packshot-upload-old'));
    expect(await readdir(temporary)).toEqual(
      expect.arrayContaining(['packshot-upload-new', 'somebody-elses']),
    );
    sweeping.close();
    await Promise.all([young, notOurs].map(folder => rm(folder, { recursive: true })));
  });

  test('is gone when the request is answered', async () => {
    await upload(service, newProduct(), 'a.png', await drawPicture('#000001'));
    await vi.waitFor(async () => expect(await listTemporary()).toEqual([]));
  });

  test('is gone when the client leaves midway', async () => {
    for (let round = 0; round < 10; round += 1) {
      const sending = await begin([
        fileHead('0'),
        randomBytes(60_000),
        Buffer.from('\r\n'),
        fileHead('1'),
        randomBytes(round * 5_000),
      ]);
      sending.destroy();
      await vi.waitFor(async () => expect(await listTemporary()).toEqual([]));
    }
    await sleep(50);
    expect(await listTemporary()).toEqual([]);
  });

  test('that cannot be written to fails the request alone', async () => {
    const sending = await begin([fileHead('0'), randomBytes(1_000)], { 'transfer-encoding': 'chunked' });
    const answered = once(sending, 'response');
    for (const name of await listTemporary()) await rm(join(temporary, name), { recursive: true });
    sending.write(Buffer.concat([Buffer.from('\r\n'), fileHead('1'), randomBytes(200_000)]));
    sending.end('\r\n--b--\r\n');
    const [response] = await answered;
    const { errors } = JSON.parse(Buffer.concat(await response.toArray()).toString());
    expect(response.statusCode).toBe(503);
    expect(errors).toMatchObject([{ extensions: { code: 'SERVICE_UNAVAILABLE' } }]);
    const { image } = await upload(service, newProduct(), 'a.png', await drawPicture('#000002'));
    expect(image?.state).toBe('UPLOADED');
  });
});

/** A picture with 20 MB of something that decoders skip. */
async function drawHeavy(color: string): Promise<Buffer<ArrayBuffer>> {
  const bytes = await drawPicture(color);
  const ballast = pngChunk('prVt', randomBytes(19_900_000));
  return Buffer.concat([bytes.subarray(0, -12), ballast, bytes.subarray(-12)]);
}

// How long it takes is up to the machine; half a minute was too short for one that was busy.
test('480 MB in one request do not fill the memory', { timeout: 90_000 }, async () => {
  const installation = await openInstallationForTest();
  const database = await createTestDatabase();
  const own = await installation.start({ DATABASE_URL: database.url, TMPDIR: installation.folder });
  const source = { file: null };
  const variables = { input: { productId: '1', images: Array.from({ length: 24 }, () => ({ source })) } };
  const paths = variables.input.images.map((_, index) => [`variables.input.images.${index}.source.file`]);
  const form = new FormData();
  form.set('operations', JSON.stringify({ query: replaceDocument, variables }));
  form.set('map', JSON.stringify({ ...paths }));
  const blob = new Blob([await drawHeavy('#5511aa')]);
  for (const index of paths.keys()) form.set(String(index), blob, `${index}.png`);
  const before = residentBytes(own.pid);
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, residentBytes(own.pid) - before);
  }, 50);
  const { data } = await sendForm<{ replaceProductImages: Uploaded }>(own, form);
  clearInterval(watch);
  expect(data.replaceProductImages.userErrors).toHaveLength(23);
  expect(data.replaceProductImages.userErrors[0]).toMatchObject({ code: 'DUPLICATE_INPUT' });
  expect(most).toBeLessThan(350_000_000);
  await own.stop();
  await database.drop();
});

function residentBytes(pid: number): number {
  return Number(execFileSync('/bin/ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024;
}

test('many uploads at once all come into being', async () => {
  const pictures = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      sharp({ create: { width: 30, height: 30, channels: 3, background: { r: index, g: 1, b: 2 } } })
        .webp()
        .toBuffer(),
    ),
  );
  const answers = await Promise.all(pictures.map(bytes => upload(service, newProduct(), 'a.webp', bytes)));
  expect(answers.map(({ image }) => image?.state)).toEqual(pictures.map(() => 'UPLOADED'));
  await vi.waitFor(async () => expect(await listTemporary()).toEqual([]));
});

test('what is stored in the end is what rows name', async () => {
  await checkStored(service);
});
