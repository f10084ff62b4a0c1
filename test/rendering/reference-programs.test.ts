import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharp } from '../../src/imaging/sharp.ts';
import type { EncodingName } from '../../src/rendering/formats.ts';
import { readHeader, reducePicture, renderPicture, renderReduced } from '../../src/rendering/render.ts';
import { decodePixels, flatten, measureDistance, type Pixels } from './picture-distance.ts';
import { type Original, type ProfilePaths, writeOriginals, writeProfiles } from './reference-originals.ts';
import {
  hasReferencePrograms,
  makeWithImageMagick,
  makeWithVips,
  type ReferenceSize,
} from './reference-programs.ts';

const hasPrograms = hasReferencePrograms('comparing renditions with those of other programs');

/** What encoders and other resampling add stays below. */
const farthest = 5;

/** ImageMagick has no profile for sRGB of the kind that libvips uses, and black comes out a little different. */
const farthestCmyk = 7;

/** High, so that little of the distance is the encoder's. */
const qualities: Partial<Record<EncodingName, number>> = { png: 100, jpeg: 90, webp: 90, avif: 80 };

type Way = 'of the original' | 'of a smaller one';

interface Fit {
  size: ReferenceSize;
  focus: { x: number; y: number } | null;
  /** The smaller original, of half its width and height, has enough pixels for most. */
  ways: Way[];
  /** Where libvips' program can crop that way. */
  vips?: ReturnType<typeof makeWithVips>;
}

const both: Way[] = ['of the original', 'of a smaller one'];

const fits: Record<string, Fit> = {
  contained: { size: { width: 90, height: 60, crop: null }, focus: null, ways: both, vips: makeWithVips() },
  stretched: {
    size: { width: 70, height: 100, crop: null },
    focus: null,
    ways: ['of the original'],
    vips: makeWithVips(),
  },
  'cropped to the middle': {
    size: { width: 60, height: 60, crop: { covering: '90x60', left: 15, top: 0 } },
    focus: { x: 500, y: 500 },
    ways: both,
    vips: makeWithVips('centre'),
  },
  'cropped to its end': {
    size: { width: 30, height: 60, crop: { covering: '90x60', left: 60, top: 0 } },
    focus: { x: 990, y: 990 },
    ways: both,
    vips: makeWithVips('high'),
  },
  'cropped to a spot': {
    size: { width: 90, height: 20, crop: { covering: '90x60', left: 0, top: 32 } },
    focus: { x: 100, y: 700 },
    ways: both,
  },
};

let folder: string;
let profiles: ProfilePaths;
let originals: Original[];

beforeAll(async () => {
  // What is made is read again here: AVIF, too, which as an original is refused.
  sharp.unblock({ operation: ['VipsForeignLoadHeif'] });
  folder = await mkdtemp(join(tmpdir(), 'packshot-references-'));
  profiles = await writeProfiles(folder);
  originals = hasPrograms ? await writeOriginals(folder, profiles) : [];
});
afterAll(() => rm(folder, { recursive: true }));

/** All for two orientations; for the others, which an encoder knows nothing of, the one that loses nothing. */
function nameEncodings({ extension, orientation }: Original): EncodingName[] {
  if (extension === 'gif') return ['png', 'jpeg', 'webp', 'avif', 'gif'];
  return orientation === 1 || orientation === 6 ? ['png', 'jpeg', 'webp', 'avif'] : ['png'];
}

async function render(
  original: Original,
  encoding: EncodingName,
  { size, focus }: Fit,
  way: Way = 'of the original',
): Promise<Pixels> {
  const recipe = {
    width: size.width,
    height: size.height,
    focus,
    quality: qualities[encoding] ?? null,
    encoding,
  };
  const header = await readHeader(original.bytes);
  const limits = { maxPixels: 25_000_000, timeoutMs: 20_000 };
  if (way === 'of the original') {
    return decodePixels(await renderPicture(original.bytes, header, recipe, limits));
  }
  const reduction = await reducePicture(original.bytes, header, 2, limits);
  return decodePixels(await renderReduced(reduction, header, recipe));
}

interface References {
  program: string;
  pictures: Map<string, Buffer>;
}

async function makeReferences(name: string, { size, vips }: Fit): Promise<References[]> {
  const magick = makeWithImageMagick(profiles);
  // It does not read the orientation of PNG.
  const forMagick = originals.filter(
    ({ extension, orientation }) => extension !== 'png' || orientation === 1,
  );
  // The version of Debian 12 converts CMYK without black point compensation, which neither ImageMagick nor sharp does.
  const forVips = originals.filter(({ isCmyk }) => !isCmyk);
  return [
    { program: 'convert', pictures: await magick(forMagick, size, join(folder, `magick ${name}`)) },
    ...(vips
      ? [{ program: 'vipsthumbnail', pictures: await vips(forVips, size, join(folder, `vips ${name}`)) }]
      : []),
  ];
}

async function findFar(original: Original, fit: Fit, made: References[]): Promise<string[]> {
  const far: string[] = [];
  const references = await Promise.all(
    made.flatMap(({ program, pictures }) => {
      const picture = pictures.get(original.name);
      return picture ? decodePixels(picture).then(reference => ({ program, reference })) : [];
    }),
  );
  for (const encoding of nameEncodings(original)) {
    for (const way of fit.ways) {
      const rendition = await render(original, encoding, fit, way);
      for (const { program, reference } of references) {
        const distance = measureDistance(
          rendition,
          encoding === 'jpeg' ? flatten(reference, 255) : reference,
        );
        if (distance > (original.isCmyk ? farthestCmyk : farthest)) {
          far.push(`${original.name} as ${encoding} ${way}: ${distance.toFixed(1)} from ${program}`);
        }
      }
    }
  }
  return far;
}

describe.runIf(hasPrograms)('every original in every encoding', () => {
  test.each(Object.entries(fits))(
    '%s is as other programs make it',
    { timeout: 120_000 },
    async (name, fit) => {
      const references = await makeReferences(name, fit);
      const compared = originals.filter(original =>
        references.some(({ pictures }) => pictures.has(original.name)),
      );
      expect(compared.length).toBeGreaterThan(80);
      const far = await Promise.all(compared.map(original => findFar(original, fit, references)));
      expect(far.flat()).toEqual([]);
    },
  );
});

describe.runIf(hasPrograms)('farther away than another program is what', () => {
  const find = (name: string) => originals.find(original => original.name === name) ?? expect.fail(name);
  const contained: Fit = { size: { width: 90, height: 60, crop: null }, focus: null, ways: both };
  const expectFar = (one: Pixels, other: Pixels) =>
    expect(measureDistance(one, other)).toBeGreaterThan(farthest * 1.5);

  test.each(['jpeg-1', 'jpeg-grey-1', 'png-transparent-1'])('is cropped one pixel aside: %s', async name => {
    const middle: Fit = {
      size: { width: 60, height: 60, crop: null },
      focus: { x: 500, y: 500 },
      ways: both,
    };
    const aside = { ...middle, focus: { x: 511, y: 500 } };
    expectFar(await render(find(name), 'png', middle), await render(find(name), 'png', aside));
  });

  test.each([2, 3, 4, 5, 6, 7, 8])('is not turned: orientation %i', async orientation => {
    const turned = sharp(find(`jpeg-${orientation}`).bytes).resize(90, 60, { fit: 'fill' });
    const wrong = await decodePixels(await turned.png().toBuffer());
    expectFar(await render(find('jpeg-1'), 'png', contained), wrong);
  });

  test.each([
    'jpeg-p3-1',
    'jpeg-adobe-1',
    'jpeg-grey-profile-1',
    'png-16-p3-1',
    'png-transparent-p3-1',
    'webp-p3-1',
  ])('is left in its colour space: %s', async name => {
    const left = sharp(find(name).bytes, { ignoreIcc: true }).resize(90, 60).toColourspace('srgb');
    const wrong = await decodePixels(await left.png().toBuffer());
    expectFar(await render(find(name), 'png', contained), wrong);
  });

  test.each(['png-transparent-1', 'webp-transparent-1'])('is flattened on black: %s', async name => {
    const wrong = flatten(await render(find(name), 'png', contained), 0);
    expectFar(await render(find(name), 'jpeg', contained), wrong);
  });
});
