import sharp, { type Sharp } from 'sharp';
import { thumbHashToRGBA } from 'thumbhash';
import { describe, expect, it } from 'vitest';
import { measureImage } from '../../src/importing/measure-image.ts';
import { animatedWebp, gif, jpegSegment, truncations, withSegments } from '../support/broken-images.ts';
import { findOutcome } from '../support/import-outcome.ts';
import {
  blue,
  findNearest,
  green,
  height,
  paintNoise,
  paintQuarters,
  paintTurned,
  readQuarters,
  red,
  width,
  yellow,
} from '../support/painted-image.ts';

const formats: Record<string, (image: Sharp) => Sharp> = {
  'baseline JPEG': image => image.jpeg({ quality: 95 }),
  'progressive JPEG': image => image.jpeg({ quality: 95, progressive: true }),
  'CMYK JPEG': image => image.toColourspace('cmyk').jpeg({ quality: 95 }),
  'palette PNG': image => image.png({ palette: true }),
  '16 bit PNG': image => image.toColourspace('rgb16').png(),
  'interlaced PNG': image => image.png({ progressive: true }),
  'lossy WebP': image => image.webp({ quality: 95 }),
  'lossless WebP': image => image.webp({ lossless: true }),
  GIF: image => image.gif(),
};

describe.each(Object.entries(formats))('a %s', (name, encode) => {
  it('is measured', async () => {
    const bytes = await encode(paintQuarters()).toBuffer();
    const extension = name.split(' ').at(-1)?.toLowerCase().replace('jpeg', 'jpg');
    const measured = await measureImage(bytes);
    expect(measured).toMatchObject({
      mimeType: `image/${extension?.replace('jpg', 'jpeg')}`,
      extension,
      width,
      height,
      fileSizeBytes: bytes.length,
      contentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(readQuarters(measured.thumbhash)).toEqual([red, green, blue, yellow]);
  });

  it('has the dominant colour that it shows', async () => {
    const { dominantColor } = await measureImage(await encode(paintQuarters()).toBuffer());
    expect(dominantColor).toMatch(/^#[0-9a-f]{6}$/);
    expect(findNearest([...Buffer.from(dominantColor.slice(1), 'hex')])).toEqual(red);
  });

  it('is refused when cut short at any tenth', async () => {
    const bytes = await encode(paintNoise()).toBuffer();
    for (const cut of truncations(bytes)) expect(await findOutcome(cut)).toBe('CORRUPT_IMAGE');
  });

  it('is taken with surplus data after its end', async () => {
    const bytes = await encode(paintNoise()).toBuffer();
    const surplus = Buffer.concat([bytes, Buffer.from('<script>alert(1)</script>'.repeat(1_000))]);
    expect(await findOutcome(surplus)).toBe('imported');
  });
});

describe.each([1, 2, 3, 4, 5, 6, 7, 8])('a JPEG of orientation %i', orientation => {
  it('is measured upright', async () => {
    const measured = await measureImage(await paintTurned(orientation).jpeg({ quality: 95 }).toBuffer());
    expect(measured).toMatchObject({ width, height });
    expect(readQuarters(measured.thumbhash)).toEqual([red, green, blue, yellow]);
  });
});

describe('an image', () => {
  it.each([
    [1, 1],
    [10_000, 1],
    [1, 10_000],
    [5_000, 5_000],
  ])('of %i × %i pixels is within the limits', async (imageWidth, imageHeight) => {
    const create = { width: imageWidth, height: imageHeight, channels: 3 as const, background: '#123456' };
    const measured = await measureImage(await sharp({ create }).png().toBuffer());
    expect(measured).toMatchObject({ width: imageWidth, height: imageHeight, dominantColor: '#123456' });
  });

  it('with an alpha channel says so', async () => {
    const create = {
      width: 9,
      height: 9,
      channels: 4 as const,
      background: { r: 9, g: 8, b: 7, alpha: 0.5 },
    };
    expect(await measureImage(await sharp({ create }).png().toBuffer())).toMatchObject({ hasAlpha: true });
  });

  it('with a broken colour profile is taken as if it had none', async () => {
    const profile = jpegSegment(0xe2, Buffer.from('ICC_PROFILE\0\x01\x01no profile', 'latin1'));
    expect(await findOutcome(withSegments(await paintQuarters().jpeg().toBuffer(), profile))).toBe(
      'imported',
    );
  });

  it('that moves is measured by its first frame', async () => {
    expect(await measureImage(animatedWebp(50))).toMatchObject({ width: 1, height: 1 });
    expect(await measureImage(gif(1, 1, 20_000))).toMatchObject({ width: 1, height: 1 });
  });

  it('that moves and is cut short is refused or taken', async () => {
    for (const cut of truncations(animatedWebp(50))) {
      expect(await findOutcome(cut)).toMatch(/^(CORRUPT_IMAGE|imported)$/);
    }
  });

  it('that moves and is a GIF is refused wherever it is cut', async () => {
    const quarters = await paintQuarters().raw().toBuffer();
    const pages = { raw: { width, height: height * 3, channels: 3, pageHeight: height } } as const;
    const painted = await sharp(Buffer.concat([quarters, quarters.toReversed(), quarters]), pages)
      .gif()
      .toBuffer();
    for (const whole of [gif(1, 1, 5), painted]) {
      expect(await findOutcome(whole)).toBe('imported');
      expect(await findOutcome(Buffer.concat([whole, Buffer.from('behind its end')]))).toBe('imported');
      const ends = [...Array(20).keys(), ...truncations(whole).map(cut => whole.length - cut.length)];
      for (const end of ends.filter(missing => missing > 0)) {
        expect([end, await findOutcome(whole.subarray(0, -end))]).toEqual([end, 'CORRUPT_IMAGE']);
      }
    }
  });

  it.each(['uchar', 'ushort'])(
    'with a profile and samples of %s has the colours that are shown of it',
    async depth => {
      const shown = sharp({ create: { width: 40, height: 40, channels: 3, background: '#1eb41e' } });
      const space = depth === 'ushort' ? shown.toColourspace('rgb16') : shown;
      const bytes = await space.withIccProfile('p3').png().toBuffer();
      expect(await sharp(bytes).metadata()).toMatchObject({ depth, hasProfile: true });
      const { dominantColor, thumbhash } = await measureImage(bytes);
      const { rgba } = thumbHashToRGBA(Buffer.from(thumbhash, 'base64'));
      for (const rgb of [Buffer.from(dominantColor.slice(1), 'hex'), rgba]) {
        for (const [channel, value] of [0x1e, 0xb4, 0x1e].entries()) {
          expect(Math.abs((rgb[channel] ?? -100) - value)).toBeLessThan(12);
        }
      }
    },
  );

  it('gets the same fingerprint for the same bytes', async () => {
    const bytes = await paintQuarters().webp().toBuffer();
    expect(await measureImage(bytes)).toEqual(await measureImage(Buffer.from(bytes)));
  });
});
