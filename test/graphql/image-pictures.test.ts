import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mutateWell } from '../support/gallery.ts';
import {
  blue,
  findNearest,
  green,
  paintQuarters,
  paintTurned,
  red,
  yellow,
} from '../support/painted-image.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { storeImage } from '../support/stored-images.ts';

// From what is asked over GraphQL to the pixels that come; the originals are 120 × 80, in four colours.

let service: TestService;
const ids = new Map<string, string>();

beforeAll(async () => {
  service = await openTestService();
  // What the service must not read, its tests must.
  sharp.unblock({ operation: ['VipsForeignLoadHeifBuffer'] });
  const originals = {
    jpeg: await paintQuarters().jpeg().toBuffer(),
    'turned JPEG': await paintTurned(6).jpeg().toBuffer(),
    png: await paintQuarters().png().toBuffer(),
    'transparent PNG': await paintQuarters().ensureAlpha(0.5).png().toBuffer(),
    webp: await paintQuarters().webp().toBuffer(),
    gif: await paintQuarters().gif().toBuffer(),
  };
  for (const [name, bytes] of Object.entries(originals)) {
    ids.set(name, (await storeImage(service, '1', bytes)).id);
  }
});
afterAll(() => service.close());

async function fetchPicture(original: string, transform: string, accept = '*/*') {
  const data = await service.query<{ productImage: { url: string } }>(
    `query ($id: ID!) { productImage(id: $id) { url(transform: ${transform}) } }`,
    { id: ids.get(original) },
  );
  const response = await fetch(data.productImage.url, { headers: { accept } });
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(response.status, String(bytes)).toBe(200);
  const { width, height, hasAlpha } = await sharp(bytes).metadata();
  return { bytes, size: `${width}x${height}`, type: response.headers.get('content-type'), hasAlpha };
}

/** The colours in the middle of the four quarters: top left, top right, bottom left, bottom right. */
async function readColours(bytes: Buffer): Promise<number[][]> {
  const { data } = await sharp(bytes)
    .flatten()
    .resize(4, 4, { fit: 'fill' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return [0, 3, 12, 15].map(at => findNearest([...data.subarray(at * 3, at * 3 + 3)]));
}

describe.each(['jpeg', 'turned JPEG', 'png', 'transparent PNG', 'webp', 'gif'])('a %s', original => {
  test.for([
    ['{width: 60}', '60x40'],
    ['{height: 20}', '30x20'],
    ['{width: 50, height: 50}', '50x33'],
    ['{width: 50, height: 50, fit: FILL}', '50x50'],
    ['{width: 40, height: 60, fit: COVER}', '40x60'],
    ['{width: 30, dpr: 2}', '60x40'],
    ['{width: 4000, format: PNG}', '120x80'],
    ['{width: 240, height: 240, fit: COVER, format: WEBP}', '80x80'],
  ])('asked for as %s comes as %s', async ([transform = '', size]) => {
    expect(await fetchPicture(original, transform)).toMatchObject({ size });
  });

  test('comes upright and in its colours', async () => {
    const { bytes } = await fetchPicture(original, '{width: 60, format: PNG}');
    const opaque = await sharp(bytes).removeAlpha().png().toBuffer();
    expect(await readColours(opaque)).toEqual([red, green, blue, yellow]);
  });
});

describe('COVER', () => {
  test.for([
    [{ x: 0, y: 0 }, red],
    [{ x: 1, y: 0.2 }, green],
    [{ x: 0.1, y: 1 }, blue],
    [{ x: 0.95, y: 0.95 }, yellow],
  ] as const)('keeps the focal point %j', async ([focalPoint, colour]) => {
    const id = ids.get('jpeg');
    await mutateWell(service, 'updateProductImage', { id, input: { focalPoint } });
    const wide = await fetchPicture('jpeg', '{width: 120, height: 20, fit: COVER}');
    const high = await fetchPicture('jpeg', '{width: 20, height: 80, fit: COVER}');
    const found = [...(await readColours(wide.bytes)), ...(await readColours(high.bytes))];
    // A strip runs through two quarters; the focal point's is in both strips.
    expect(found.filter(one => one === colour).length).toBe(4);
  });
});

describe('AUTO', () => {
  test.for([
    ['jpeg', 'image/avif,image/webp,*/*', 'image/avif'],
    ['jpeg', 'image/webp,*/*', 'image/webp'],
    ['jpeg', '*/*', 'image/jpeg'],
    ['png', '*/*', 'image/jpeg'],
    ['transparent PNG', '*/*', 'image/png'],
    ['transparent PNG', 'image/webp', 'image/webp'],
  ])('gives of a %s to who accepts %s an %s', async ([original = '', accept, type]) => {
    const found = await fetchPicture(original, '{width: 60}', accept);
    expect(found).toMatchObject({ type, size: '60x40', hasAlpha: original === 'transparent PNG' });
  });
});

test('JPEG is white where the original is transparent', async () => {
  const { bytes } = await fetchPicture('transparent PNG', '{width: 60, format: JPEG}');
  const { data } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  const [r = 0, g = 0, b = 0] = data;
  const halfway = red.map(channel => (channel + 255) / 2);
  for (const [index, channel] of [r, g, b].entries())
    expect(Math.abs(channel - (halfway[index] ?? 0))).toBeLessThan(12);
});

test('every candidate of a srcset is as wide as it says', async () => {
  const data = await service.query<{ productImage: { srcset: string } }>(
    'query ($id: ID!) { productImage(id: $id) { srcset(widths: [10, 33, 100, 500], transform: {width: 3, height: 2, fit: COVER}) } }',
    { id: ids.get('webp') },
  );
  const candidates = data.productImage.srcset.split(', ').map(candidate => candidate.split(' '));
  expect(candidates.map(([, descriptor]) => descriptor)).toEqual(['10w', '33w', '100w', '120w']);
  for (const [address = '', descriptor] of candidates) {
    const response = await fetch(address);
    const { width } = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
    expect(`${width}w`).toBe(descriptor);
  }
});
