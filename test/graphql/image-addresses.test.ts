import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ImageAddress, parseAddress } from '../../src/rendering/address.ts';
import { createSigner } from '../../src/rendering/signature.ts';
import { fromUrl, mutateWell } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { storeImage } from '../support/stored-images.ts';

const secret = 'a secret of the tests of addresses'.replaceAll(' ', '_');
const signer = createSigner([{ id: 'test', secret }]);

let service: TestService;
let jpeg: { id: string; hash: string };
/** As jpeg, but 1500 × 2000. */
let portrait: { id: string; hash: string };
let opaquePng: { id: string; hash: string };
let transparentPng: { id: string; hash: string };

beforeAll(async () => {
  service = await openTestService({ SIGNING_KEYS: `test:${secret}` });
  jpeg = await storeImage(service, '1', await draw(2_000, 1_500).jpeg().toBuffer());
  portrait = await storeImage(service, '1', await draw(1_500, 2_000).jpeg().toBuffer());
  opaquePng = await storeImage(service, '1', await draw(40, 30).png().toBuffer());
  transparentPng = await storeImage(service, '1', await draw(30, 40, 4).png().toBuffer());
});
afterAll(() => service.close());

function draw(width: number, height: number, channels: 3 | 4 = 3) {
  return sharp({ create: { width, height, channels, background: { r: 9, g: 99, b: 199, alpha: 0.5 } } });
}

/** One field of an image. */
async function ask(id: string, field: string, variables: object = {}): Promise<string | null> {
  const declared = Object.keys(variables).map(name => `, $${name}: ImageTransformInput`);
  const data = await service.query<{ productImage: { field: string | null } }>(
    `query ($id: ID!${declared.join('')}) { productImage(id: $id) { field: ${field} } }`,
    { id, ...variables },
  );
  return data.productImage.field;
}

/** What an address names, which must be here and signed. */
function parse(address: string | null): ImageAddress {
  const { origin, pathname, search } = new URL(address ?? '');
  const parsed = parseAddress(pathname, signer);
  expect({ origin, search }).toEqual({ origin: service.url, search: '' });
  if (parsed === null || parsed === 'forged') throw new Error(`${address} is not ours`);
  return parsed;
}

/** What follows the original in the address, such as `500x375-auto.jpg`. */
async function recipeOf(id: string, field: string): Promise<string> {
  const address = await ask(id, field);
  expect(parse(address).kind).toBe('rendition');
  return address?.split('/').at(-1) ?? '';
}

describe('url', () => {
  test.for(['url', 'url(transform: null)', 'url(transform: {format: ORIGINAL})'])(
    'as %s is the untouched original',
    async field => {
      const address = await ask(jpeg.id, field);
      expect(parse(address)).toEqual({ kind: 'original', hash: jpeg.hash, extension: 'jpg' });
      expect(address).toMatch(/\.jpg$/);
    },
  );

  test.for([
    ['{}', '2000x1500-auto.jpg'],
    ['{width: 500}', '500x375-auto.jpg'],
    ['{height: 500}', '667x500-auto.jpg'],
    ['{width: 386, height: 513}', '386x290-auto.jpg'],
    ['{width: 500, height: 500, fit: COVER}', '500x500-cover-500-500-auto.jpg'],
    ['{width: 500, height: 500, fit: FILL}', '500x500-auto.jpg'],
    ['{width: 9, format: WEBP, quality: 40}', '9x7-q40.webp'],
    ['{width: 250, dpr: 2, format: AVIF}', '500x375.avif'],
    ['{width: 4000, format: PNG}', '2000x1500.png'],
    ['{width: 500, format: ORIGINAL}', '500x375.jpg'],
    ['{width: null, fit: null, format: null, quality: null, dpr: null}', '2000x1500-auto.jpg'],
  ])('for %s ends in %s', async ([transform, recipe]) => {
    expect(await recipeOf(jpeg.id, `url(transform: ${transform})`)).toBe(recipe);
  });

  test('takes the transform from a variable too', async () => {
    const transform = { width: 600, height: 600, fit: 'COVER', dpr: 1.5 };
    const address = await ask(jpeg.id, 'url(transform: $transform)', { transform });
    expect(address).toMatch(/\/900x900-cover-500-500-auto\.jpg$/);
  });

  test('is the same for the same bytes, whatever image shows them', async () => {
    const other = await storeImage(service, '2', await draw(2_000, 1_500).jpeg().toBuffer());
    const field = 'url(transform: {width: 77})';
    expect(await ask(other.id, field)).toBe(await ask(jpeg.id, field));
  });

  test('covers around the focal point', async () => {
    const { id } = await storeImage(service, '3', await draw(300, 200).jpeg().toBuffer());
    await mutateWell(service, 'updateProductImage', { id, input: { focalPoint: { x: 0.25, y: 1 } } });
    const url = (transform: string) => recipeOf(id, `url(transform: {${transform}})`);
    expect(await url('width: 100, height: 100, fit: COVER')).toBe('100x100-cover-250-500-auto.jpg');
    expect(await url('width: 100, height: 10, fit: COVER')).toBe('100x10-cover-500-1000-auto.jpg');
    expect(await url('width: 100, height: 100')).toBe('100x67-auto.jpg');
  });

  test('falls back to PNG where the original may be transparent, else to JPEG', async () => {
    const url = 'url(transform: {width: 8})';
    expect(await recipeOf(transparentPng.id, url)).toBe('8x11-auto.png');
    expect(await recipeOf(opaquePng.id, url)).toBe('8x6-auto.jpg');
    await service.db.execute('update images set has_alpha = null');
    expect(await recipeOf(opaquePng.id, url)).toBe('8x6-auto.png');
    expect(await recipeOf(jpeg.id, url)).toBe('8x6-auto.jpg');
  });

  test('until an image is imported is its source, and null once that was given up', async () => {
    const { image } = await mutateWell(service, 'createProductImage', {
      input: { productId: '4', ...fromUrl('sofa.jpg') },
    });
    const id = String(image?.id);
    const fields = ['url', 'url(transform: {width: 9})'];
    expect(await Promise.all(fields.map(field => ask(id, field)))).toEqual(
      fields.map(() => 'https://example.com/sofa.jpg'),
    );
    await service.db.execute(`update images set state = 'FAILED' where id = ${id}`);
    expect(await Promise.all(fields.map(field => ask(id, field)))).toEqual([null, null]);
  });
});

describe('srcset', () => {
  /** Its candidates: recipe and descriptor. */
  async function candidates(id: string, field: string): Promise<[string, string][]> {
    const srcset = await ask(id, field);
    return (srcset ?? '').split(', ').map(candidate => {
      const [address = '', descriptor = ''] = candidate.split(' ');
      expect(parse(address).kind).toBe('rendition');
      return [address.split('/').at(-1) ?? '', descriptor];
    });
  }

  test('has the widths asked for, each once, narrowest first', async () => {
    expect(await candidates(jpeg.id, 'srcset(widths: [640, 320, 1280, 320])')).toEqual([
      ['320x240-auto.jpg', '320w'],
      ['640x480-auto.jpg', '640w'],
      ['1280x960-auto.jpg', '1280w'],
    ]);
  });

  test('ends with the width of the original where that is narrower', async () => {
    expect(await candidates(portrait.id, 'srcset(widths: [1000, 1500, 1600, 4096])')).toEqual([
      ['1000x1333-auto.jpg', '1000w'],
      ['1500x2000-auto.jpg', '1500w'],
    ]);
    expect(await candidates(opaquePng.id, 'srcset(widths: [1000, 2000])')).toHaveLength(1);
  });

  test.for([
    ['jpeg', [160, 320, 480, 640, 960, 1_280, 1_920, 2_000]],
    ['opaquePng', [40]],
  ] as const)('of %s without widths has %j', async ([name, widths]) => {
    const { id } = name === 'jpeg' ? jpeg : opaquePng;
    const found = await candidates(id, 'srcset');
    expect(found.map(([, descriptor]) => descriptor)).toEqual(widths.map(width => `${width}w`));
  });

  test('keeps the shape, format and quality that the transform asks for', async () => {
    const transform = '{width: 400, height: 300, fit: COVER, format: WEBP, quality: 50}';
    expect(
      await candidates(portrait.id, `srcset(widths: [200, 800, 3000], transform: ${transform})`),
    ).toEqual([
      ['200x150-cover-500-500-q50.webp', '200w'],
      ['800x600-cover-500-500-q50.webp', '800w'],
      ['1500x1125-cover-500-500-q50.webp', '1500w'],
    ]);
  });

  test.for(['{height: 9}', '{width: 9}', '{dpr: 3}', '{fit: FILL}', 'null'])(
    'takes nothing else from %s',
    async transform => {
      expect(await candidates(jpeg.id, `srcset(widths: [100], transform: ${transform})`)).toEqual([
        ['100x75-auto.jpg', '100w'],
      ]);
    },
  );

  test('tells the width that a picture really has', async () => {
    const transform = '{width: 100, height: 400}';
    // No side is longer than 4096, and none than the original's.
    expect(await candidates(jpeg.id, `srcset(widths: [100, 2000], transform: ${transform})`)).toEqual([
      ['100x75-auto.jpg', '100w'],
      ['1024x768-auto.jpg', '1024w'],
    ]);
  });

  test('is null until the image is imported', async () => {
    const input = { productId: '4', ...fromUrl('chair.jpg') };
    const { image } = await mutateWell(service, 'createProductImage', { input });
    expect(await ask(String(image?.id), 'srcset(widths: [100])')).toBeNull();
  });
});

test('a srcset costs an operation as much as it has widths', async () => {
  const field = (n: number, widths: number) => `f${n}: srcset(widths: [${Array(widths).fill(9)}])`;
  const fields = (widths: number) => Array.from({ length: 100 }, (_, n) => field(n, widths)).join(' ');
  const cost = async (selected: string) => {
    const { errors } = await service.send(`{ productImages(first: 250) { nodes { ${selected} } } }`);
    return errors?.[0]?.extensions.code;
  };
  expect(await cost(fields(1))).toBeUndefined();
  expect(await cost(fields(20))).toBe('OPERATION_TOO_COSTLY');
});

describe('a value out of bounds', () => {
  test.for([
    ['url(transform: {width: 9000})', 'width is 9000; at most 4096'],
    ['url(transform: {height: 0})', 'height is 0; at least 1'],
    ['url(transform: {quality: 101})', 'quality is 101; at most 100'],
    ['url(transform: {dpr: 0.9})', 'dpr is 0.9; at least 1'],
    ['url(transform: {width: 3000, dpr: 2})', 'width is 3000 at dpr 2, which makes 6000; at most 4096'],
    ['srcset(transform: {quality: -1})', 'quality is -1; at least 1'],
    ['srcset(widths: [1, 5000])', 'widths[1] is 5000; at most 4096'],
    ['srcset(widths: [0])', 'widths[0] is 0; at least 1'],
    ['srcset(widths: [])', 'widths has 0 entries; from 1 to 20'],
    [`srcset(widths: [${Array(21).fill(9)}])`, 'widths has 21 entries; from 1 to 20'],
  ])('of %s is refused, and named', async ([field, message]) => {
    const { data, errors } = await service.send(`{ productImage(id: ${jpeg.id}) { id field: ${field} } }`);
    expect(data).toEqual({ productImage: { id: jpeg.id, field: null } });
    expect(errors).toMatchObject([
      { message, path: ['productImage', 'field'], extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  test('is refused alike for an image that is not here yet', async () => {
    const input = { productId: '4', ...fromUrl('desk.jpg') };
    const { image } = await mutateWell(service, 'createProductImage', { input });
    const fields = [
      'url(transform: {width: 9000})',
      'srcset(widths: [9000])',
      'url(transform: {width: 4000, dpr: 2})',
    ];
    for (const field of fields) {
      const { errors } = await service.send(`{ productImage(id: ${image?.id}) { ${field} } }`);
      expect(errors?.[0]?.message).toMatch(/^width.* is .*; at most 4096$/);
    }
  });

  test('that no table has is refused before anything is run', async () => {
    const { data, errors } = await service.send(
      '{ productImage(id: 1) { url(transform: {fit: CROP, blur: 3}) } }',
    );
    expect(data).toBeUndefined();
    expect(errors?.map(error => error.extensions.code)).toEqual(
      errors?.map(() => 'GRAPHQL_VALIDATION_FAILED'),
    );
  });
});

describe('an address of a fixed size', () => {
  test.for([
    ['zoomUrl', '1280x960-auto.jpg', '960x1280-auto.jpg'],
    ['thumbnailUrl', '386x290-auto.jpg', '385x513-auto.jpg'],
    ['standardUrl', '220x165-auto.jpg', '218x290-auto.jpg'],
    ['tinyUrl', '44x33-auto.jpg', '44x58-auto.jpg'],
  ])('%s leads to the whole picture in that size', async ([field = '', landscape, upright]) => {
    expect(await recipeOf(jpeg.id, field)).toBe(landscape);
    expect(await recipeOf(portrait.id, field)).toBe(upright);
  });

  test.for(['zoomUrl', 'thumbnailUrl', 'standardUrl', 'tinyUrl', 'downloadUrl'])(
    '%s is null until the image is imported',
    async field => {
      const input = { productId: '4', ...fromUrl('lamp.jpg') };
      const { image } = await mutateWell(service, 'createProductImage', { input });
      expect(await ask(String(image?.id), field)).toBeNull();
    },
  );

  test('has the size and the beginning that are set', async () => {
    const other = await openTestService({
      SIGNING_KEYS: `test:${secret}`,
      IMAGES_URL: 'https://cdn.example/shop/',
      ZOOM_SIZE: '100x50',
      TINY_SIZE: '9x9',
      MAX_RENDITION_SIDE: '1024',
    });
    try {
      const { id } = await storeImage(other, '1', await draw(2_000, 1_500).jpeg().toBuffer());
      const data = await other.query<{ productImage: Record<string, string> }>(
        `{ productImage(id: ${id}) { zoomUrl tinyUrl url(transform: {}) thumbnailUrl } }`,
      );
      const recipes = Object.values(data.productImage).map(address => address.split('/').at(-1));
      expect(recipes).toEqual(['67x50-auto.jpg', '9x7-auto.jpg', '1024x768-auto.jpg', '386x290-auto.jpg']);
      const path = data.productImage.zoomUrl?.replace('https://cdn.example/shop', '') ?? '';
      expect(parseAddress(path, signer)).toMatchObject({ kind: 'rendition' });
      const { errors } = await other.send(`{ productImage(id: ${id}) { url(transform: {width: 1025}) } }`);
      expect(errors?.[0]?.message).toBe('width is 1025; at most 1024');
    } finally {
      await other.close();
    }
  });
});

describe('downloadUrl', () => {
  test('leads to the original by its name, for an hour', async () => {
    await service.db.execute(`update images set name = 'Диван "серый" 写真.JPEG' where id = ${jpeg.id}`);
    const before = Math.floor(Date.now() / 1_000) + 3_600;
    const address = await ask(jpeg.id, 'downloadUrl');
    const download = parse(address);
    if (download.kind !== 'download') throw new Error('no download');
    const { expiresAt, ...file } = download;
    const original = { hash: jpeg.hash, extension: 'jpg' };
    expect(file).toEqual({ kind: 'download', ...original, name: 'Диван "серый" 写真.JPEG' });
    expect(expiresAt.getTime() / 1_000 - before).toBeOneOf([0, 1, 2, 3]);
    expect(address).toMatch(/^[!-~]+\.JPEG$/);
  });

  test('ends in what the file is, whatever it is called', async () => {
    await service.db.execute(`update images set name = 'sofa.php' where id = ${jpeg.id}`);
    expect(await ask(jpeg.id, 'downloadUrl')).toMatch(/\/sofa\.php\.jpg$/);
  });
});

test('an original is handed out without a warning of the platform', async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error) => warnings.push(warning);
  process.on('warning', warn);
  onTestFinished(() => {
    process.off('warning', warn);
  });
  for (const field of ['url', 'downloadUrl', 'tinyUrl']) {
    const response = await fetch((await ask(jpeg.id, field)) ?? '');
    expect([response.status, (await response.bytes()).length > 0]).toEqual([200, true]);
  }
  expect(warnings).toEqual([]);
});

test('addresses cost no statement', async () => {
  const count = async (fields: string) => {
    service.statements.length = 0;
    await service.query(`{ product(id: 1) { images { nodes { id ${fields} } } } }`);
    return service.statements.length;
  };
  const all = 'url a: url(transform: {width: 9}) srcset zoomUrl thumbnailUrl standardUrl tinyUrl downloadUrl';
  expect(await count(all)).toBe(await count(''));
});

test('an address with a query string is another spelling, which is refused', async () => {
  const address = (await ask(jpeg.id, 'url')) ?? '';
  const statusOf = async (path: string) => {
    const response = await fetch(path);
    await response.arrayBuffer();
    return response.status;
  };
  expect(await statusOf(address)).toBe(200);
  for (const query of ['?&', '?x=1', '?width=9']) expect(await statusOf(address + query)).toBe(403);
});

test('an address stays good while its key is listed, and no longer', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'packshot-keys-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const keysPath = join(folder, 'signing-keys');
  const whileServed = async (use: (served: TestService) => Promise<void>) => {
    const served = await openTestService({ DATA_DIR: folder });
    await use(served).finally(() => served.close());
  };
  let path = '';
  const askFor = async (served: TestService) => {
    const response = await fetch(served.url + path);
    await response.arrayBuffer();
    return response.status;
  };

  await whileServed(async served => {
    const { id } = await storeImage(served, '1', await draw(40, 30).png().toBuffer());
    const data = await served.query<{ productImage: { url: string } }>(`{ productImage(id: ${id}) { url } }`);
    path = new URL(data.productImage.url).pathname;
    expect(await askFor(served)).toBe(200);
  });
  const newKey = `new:${'n'.repeat(32)}`;
  const made = await readFile(keysPath, 'utf8');
  await writeFile(keysPath, `${newKey},${made}`);
  await whileServed(async served => expect(await askFor(served)).toBe(200));
  await writeFile(keysPath, newKey);
  await whileServed(async served => expect(await askFor(served)).toBe(403));
});
