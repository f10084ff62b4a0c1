import { beforeAll, describe, expect, test } from 'vitest';
import { sharp } from '../../src/imaging/sharp.ts';
import { encodings } from '../../src/rendering/formats.ts';
import type { Recipe } from '../../src/rendering/recipe.ts';
import { readHeader, reducePicture, renderPicture } from '../../src/rendering/render.ts';
import { jpegSegment, pngChunk, truncations, withSegments } from '../support/broken-images.ts';
import { recipeOf } from '../support/image-server.ts';
import {
  blue,
  findNearest,
  green,
  height,
  paintNoise,
  paintQuarters,
  paintTurned,
  red,
  width,
  yellow,
} from '../support/painted-image.ts';

// What is made is read again here: AVIF, too, which as an original is refused.
beforeAll(() => {
  sharp.unblock({ operation: ['VipsForeignLoadHeif'] });
});

const limits = { maxPixels: 25_000_000, timeoutMs: 20_000 };

async function render(original: Buffer, recipe: Recipe): Promise<Buffer> {
  return renderPicture(original, await readHeader(original), recipe, limits);
}

async function decode(picture: Buffer) {
  const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true });
  const pixelAt = (x: number, y: number) =>
    [...data.subarray((y * info.width + x) * info.channels)].slice(0, info.channels);
  return { ...info, pixelAt };
}

/** Of the corners, as one of the four colours each: top left, top right, bottom left, bottom right. */
async function readCorners(picture: Buffer): Promise<number[][]> {
  const { width: columns, height: rows, pixelAt } = await decode(picture);
  const [right, bottom] = [columns - 3, rows - 3];
  return [pixelAt(2, 2), pixelAt(right, 2), pixelAt(2, bottom), pixelAt(right, bottom)].map(findNearest);
}

const names = encodings.map(({ name }) => name);

describe('a rendition', () => {
  test.each(names)('has the size of its recipe to the pixel: %s', async encoding => {
    const original = await paintTurned(6).jpeg().toBuffer();
    for (let size = 1; size <= 61; size += 4) {
      for (const focus of [null, { x: 13 * size, y: 999 - 7 * size }]) {
        const recipe = recipeOf(size, 81 - size, { encoding, focus });
        const { width: columns, height: rows } = await sharp(await render(original, recipe)).metadata();
        expect([columns, rows]).toEqual([size, 81 - size]);
      }
    }
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('stands upright: orientation %i', async orientation => {
    const original = await paintTurned(orientation).jpeg({ quality: 95 }).toBuffer();
    for (const focus of [null, { x: 500, y: 500 }]) {
      expect(await readCorners(await render(original, recipeOf(90, 60, { focus })))).toEqual([
        red,
        green,
        blue,
        yellow,
      ]);
    }
  });

  test.each([
    [{ x: 0, y: 0 }, red],
    [{ x: 1_000, y: 0 }, green],
    [{ x: 0, y: 1_000 }, blue],
    [{ x: 1_000, y: 1_000 }, yellow],
  ])('keeps its focal point within the picture: %o', async (focus, colour) => {
    for (const orientation of [1, 3, 6, 8]) {
      const original = await paintTurned(orientation).png().toBuffer();
      // A narrow one keeps the left or the right, a low one the top or the bottom.
      const narrow = await readCorners(await render(original, recipeOf(20, 60, { focus })));
      const low = await readCorners(await render(original, recipeOf(90, 20, { focus })));
      expect([narrow, low].every(corners => corners.some(corner => corner === colour))).toBe(true);
      expect(new Set([...narrow, ...low]).size).toBe(3);
    }
  });

  test('shows the first frame of an animation', async () => {
    const frame = (background: string) =>
      sharp({ create: { width: 20, height: 20, channels: 3, background } })
        .png()
        .toBuffer();
    const frames = await Promise.all([frame('#ff0000'), frame('#0000ff')]);
    const animation = sharp(frames, { join: { animated: true } });
    for (const original of [
      await animation.clone().gif().toBuffer(),
      await animation.clone().webp({ lossless: true }).toBuffer(),
    ]) {
      expect(await sharp(original).metadata()).toMatchObject({ pages: 2 });
      for (const encoding of names) {
        const picture = await render(original, recipeOf(10, 10, { encoding }));
        expect((await sharp(picture).metadata()).pages ?? 1).toBe(1);
        expect(findNearest((await decode(picture)).pixelAt(5, 5).slice(0, 3))).toEqual(red);
      }
    }
  });

  test('is enlarged where its recipe says so', async () => {
    const original = await paintQuarters().png().toBuffer();
    expect(await decode(await render(original, recipeOf(200, 10)))).toMatchObject({ width: 200, height: 10 });
  });

  test('is of less bytes at less quality', async () => {
    const original = await paintNoise().png().toBuffer();
    for (const encoding of ['jpeg', 'webp', 'avif'] as const) {
      const sizeOf = async (quality: number | null) =>
        (await render(original, recipeOf(60, 40, { encoding, quality }))).length;
      const [least, usual, most] = [await sizeOf(20), await sizeOf(null), await sizeOf(100)];
      expect(least < usual && usual < most).toBe(true);
    }
  });
});

describe('transparency', () => {
  const holed = () =>
    sharp({ create: { width: 40, height: 40, channels: 4, background: '#00000000' } })
      .composite([
        {
          input: { create: { width: 20, height: 40, channels: 4, background: '#dc1e1eff' } },
          left: 0,
          top: 0,
        },
      ])
      .png()
      .toBuffer();

  test.each(['png', 'webp', 'avif', 'gif'] as const)('is kept: %s', async encoding => {
    const { channels, pixelAt } = await decode(await render(await holed(), recipeOf(20, 20, { encoding })));
    expect(channels).toBe(4);
    expect([pixelAt(15, 10)[3], pixelAt(4, 10)[3]]).toEqual([0, 255]);
  });

  test('becomes white where there can be none', async () => {
    const { channels, pixelAt } = await decode(await render(await holed(), recipeOf(20, 20)));
    expect(channels).toBe(3);
    expect(Math.min(...pixelAt(15, 10))).toBeGreaterThan(250);
    expect(findNearest(pixelAt(4, 10))).toEqual(red);
  });
});

describe('what an original tells besides its pixels', () => {
  const secret = 'taken at 52.5200 north';
  const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${secret}</rdf:RDF></x:xmpmeta>`;
  const traces = [secret, 'Exif', 'http://ns.adobe.com', 'Photoshop', 'ICC_PROFILE', 'iCCP', 'eXIf', 'tEXt'];

  const withEverything = () =>
    paintQuarters()
      .withMetadata({ icc: 'p3' })
      .withExifMerge({ IFD0: { Copyright: secret } })
      .withXmp(xmp);

  const originals: [name: string, build: () => Promise<Buffer>][] = [
    [
      'JPEG',
      async () => {
        const iptc = Buffer.concat([
          Buffer.from('Photoshop 3.0\x008BIM\x04\x04\0\0\0\0', 'latin1'),
          Buffer.from(secret),
        ]);
        const more = Buffer.concat([jpegSegment(0xed, iptc), jpegSegment(0xfe, Buffer.from(secret))]);
        return withSegments(await withEverything().jpeg().toBuffer(), more);
      },
    ],
    [
      'PNG',
      async () => {
        const bytes = await withEverything().png().toBuffer();
        const text = pngChunk('tEXt', Buffer.from(`Comment\0${secret}`));
        return Buffer.concat([bytes.subarray(0, 33), text, bytes.subarray(33)]);
      },
    ],
    ['WebP', () => withEverything().webp().toBuffer()],
  ];

  test.each(originals)('is not in its renditions: %s', async (_name, build) => {
    const original = await build();
    expect(original.includes(secret)).toBe(true);
    for (const encoding of names) {
      const picture = await render(original, recipeOf(60, 40, { encoding }));
      expect(traces.filter(trace => picture.includes(trace))).toEqual([]);
      const {
        space,
        depth,
        exif,
        xmp: left,
        iptc,
        icc,
        comments,
        orientation,
      } = await sharp(picture).metadata();
      expect({ space, depth }).toEqual({ space: 'srgb', depth: 'uchar' });
      expect([exif, left, iptc, icc, comments, orientation].every(value => value === undefined)).toBe(true);
    }
  });
});

describe('an original made smaller', () => {
  test.each([
    ['grey', paintQuarters().toColourspace('b-w').jpeg(), 3],
    ['of 16 bits', paintQuarters().toColourspace('rgb16').png(), 3],
    ['transparent', paintQuarters().ensureAlpha(0.5).png(), 4],
    ['turned', paintTurned(6).jpeg(), 3],
  ])('has all samples of its pixels in sRGB: %s', async (_kind, painted, channels) => {
    const original = await painted.toBuffer();
    const reduction = await reducePicture(original, await readHeader(original), 2, limits);
    expect(reduction).toMatchObject({ width: width / 2, height: height / 2, channels });
    expect(reduction.pixels).toHaveLength((width / 2) * (height / 2) * channels);
  });
});

describe('what cannot be rendered', () => {
  test('is an original with too many pixels', async () => {
    const original = await paintQuarters().png().toBuffer();
    const header = await readHeader(original);
    const few = { ...limits, maxPixels: width };
    await expect(renderPicture(original, header, recipeOf(10, 10), few)).rejects.toThrow('pixel limit');
  });

  test.each(['jpeg', 'png', 'webp'] as const)('is an original that is cut short: %s', async format => {
    for (const cut of truncations(await paintNoise().toFormat(format).toBuffer())) {
      await expect(render(cut, recipeOf(60, 40))).rejects.toThrow();
    }
  });

  test('is what is no picture', async () => {
    for (const bytes of [Buffer.from('<svg width="9" height="9"/>'), Buffer.alloc(0)]) {
      await expect(render(bytes, recipeOf(1, 1))).rejects.toThrow();
    }
  });

  test.each(['avif', 'tiff'] as const)('is what is not taken in as an original: %s', async format => {
    const header = await readHeader(await paintQuarters().png().toBuffer());
    if (format === 'avif') sharp.block({ operation: ['VipsForeignLoadHeif'] });
    const bytes = await paintQuarters().toFormat(format).toBuffer();
    await expect(renderPicture(bytes, header, recipeOf(9, 9), limits)).rejects.toThrow('unsupported');
    sharp.unblock({ operation: ['VipsForeignLoadHeif'] });
  });
});
