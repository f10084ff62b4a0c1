import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { createSampleCatalogue, type SamplePicture } from '../../src/sample/catalogue.ts';
import { encodeSamplePicture } from '../../src/sample/encode.ts';

const products = createSampleCatalogue();
const pictures = products.flatMap(product => product.pictures);

function findProduct(id: string) {
  return products.find(product => product.id === id);
}

function findPicture(name: string): SamplePicture {
  const picture = pictures.find(candidate => candidate.name === name);
  if (!picture) throw new Error(`no picture named ${name}`);
  return picture;
}

function sizeOf(svg: string): readonly [number, number] {
  const size = /^<svg [^>]*width="(\d+)" height="(\d+)"/.exec(svg);
  return [Number(size?.[1]), Number(size?.[2])];
}

describe('the sample catalogue', () => {
  test('is the same on every call', () => {
    expect(createSampleCatalogue()).toEqual(products);
  });

  test('has 10 to 14 products and 40 to 60 pictures', () => {
    expect(products.length).toBeGreaterThanOrEqual(10);
    expect(products.length).toBeLessThanOrEqual(14);
    expect(pictures.length).toBeGreaterThanOrEqual(40);
    expect(pictures.length).toBeLessThanOrEqual(60);
  });

  test('gives every product an id of its own that fits 64 bits', () => {
    const ids = products.map(product => product.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter(id => BigInt.asIntN(64, BigInt(id)).toString() !== id)).toEqual([]);
  });

  test('starts at 101, passes 2^53 and ends with an id as marketplaces have them', () => {
    const ids = products.map(product => product.id);
    expect(ids[0]).toBe('101');
    expect(ids).toContain('9007199254740993');
    expect(ids.at(-1)).toBe('1111588191');
  });

  test('has every kind of product and every type of picture', () => {
    expect(new Set(products.map(product => product.kind))).toEqual(
      new Set(['PRODUCT', 'SKU', 'OFFER', 'SERVICE']),
    );
    expect(new Set(pictures.map(picture => picture.type))).toEqual(
      new Set(['MORE_PHOTO', 'PREVIEW_PICTURE', 'DETAIL_PICTURE', 'SPIN_360', 'COLOR_SWATCH']),
    );
  });

  test('lists a head product before its two variations, one of them without pictures', () => {
    const offers = products.filter(product => product.kind === 'OFFER');
    const heads = offers.map(offer => findProduct(offer.parentId ?? ''));
    expect(heads.map(head => head?.kind)).toEqual(['SKU', 'SKU']);
    expect(offers.map(offer => [offer.marketingColor, offer.pictures.length > 0])).toEqual([
      ['GREEN', true],
      ['NAVY', false],
    ]);
    for (const offer of offers) {
      expect(products.indexOf(offer)).toBeGreaterThan(
        products.findIndex(product => product.id === offer.parentId),
      );
    }
  });

  test('gives only variations a parent', () => {
    const withParent = products.filter(product => product.parentId !== null);
    expect(withParent.map(product => product.kind)).toEqual(['OFFER', 'OFFER']);
  });

  test('turns one product once in twelve frames', () => {
    const frames = pictures.filter(picture => picture.type === 'SPIN_360');
    expect(frames).toHaveLength(12);
    expect(new Set(frames.map(frame => frame.svg)).size).toBe(12);
  });

  test('names files plainly and never twice', () => {
    const names = pictures.map(picture => picture.name);
    expect(names.filter(name => !/^[a-z0-9]+(-[a-z0-9]+)*\.(jpg|png|webp)$/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  test('flags at most one thumbnail a product', () => {
    const flagged = products.map(product => product.pictures.filter(picture => picture.isThumbnail).length);
    expect(Math.max(...flagged)).toBe(1);
  });

  test('describes every picture in four languages', () => {
    for (const picture of pictures) {
      expect(Object.keys(picture.altTexts)).toEqual(expect.arrayContaining(['de', 'fr', 'ru']));
      for (const text of [picture.altText, ...Object.values(picture.altTexts)]) {
        expect(text).toMatch(/^\p{Lu}.*, [\p{L}\d]/u);
        expect(text).not.toContain('undefined');
        expect(text.length).toBeLessThanOrEqual(512);
      }
    }
  });

  test('tells Austrians from Germans', () => {
    expect(findPicture('chair-front.jpg').altTexts).toMatchObject({
      de: 'Stuhl, Vorderansicht',
      'de-AT': 'Sessel, Vorderansicht',
    });
  });

  test('writes no text that would need a font', () => {
    expect(pictures.filter(picture => /<text|font/.test(picture.svg))).toEqual([]);
  });
});

describe('encoding a sample picture', () => {
  test('writes each in the size drawn and the format named, small and soon', {
    timeout: 60_000,
  }, async () => {
    const startedAt = performance.now();
    let totalBytes = 0;
    for (const picture of pictures) {
      const bytes = await encodeSamplePicture(picture);
      const { width, height, format } = await sharp(bytes).metadata();
      expect([picture.name, width, height]).toEqual([picture.name, ...sizeOf(picture.svg)]);
      expect(picture.name.endsWith(format === 'jpeg' ? '.jpg' : `.${format}`)).toBe(true);
      expect(bytes.length).toBeGreaterThan(10_000);
      expect(bytes.length).toBeLessThan(300_000);
      totalBytes += bytes.length;
    }
    expect(totalBytes).toBeLessThan(8_000_000);
    // About 5 s on one idle core; the rest is for machines that are busy with other tests.
    expect(performance.now() - startedAt).toBeLessThan(40_000);
  });

  test('writes the same bytes again', async () => {
    const picture = findPicture('sofa-front.jpg');
    const [first, second] = [await encodeSamplePicture(picture), await encodeSamplePicture(picture)];
    expect(first.equals(second)).toBe(true);
  });

  test('keeps a cut-out transparent', async () => {
    const { data, info } = await sharp(await encodeSamplePicture(findPicture('water-bottle-cutout.png')))
      .raw()
      .toBuffer({ resolveWithObject: true });
    const alphaAt = (x: number, y: number) => data[(y * info.width + x) * info.channels + 3];
    expect([info.channels, alphaAt(5, 5), alphaAt(600, 800)]).toEqual([4, 0, 255]);
  });

  test('refuses a name whose ending is no known format', async () => {
    const picture = { ...findPicture('sofa-front.jpg'), name: 'sofa-front.tiff' };
    await expect(encodeSamplePicture(picture)).rejects.toThrow(
      '"sofa-front.tiff" ends in ".tiff"; .jpg, .webp or .png',
    );
  });
});
