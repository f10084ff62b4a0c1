import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countAll, fill, mutate, mutateWell, readGallery } from '../support/gallery.ts';
import { expectShortKeys, longKeys, setOrderKeys } from '../support/order-keys.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { findBrokenSets, importPath, importText, listImages, writeBulkFile } from './bulk-files.ts';
import { testLimits } from './test-limits.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

let lastProduct = 5_000_000_000;
const newProduct = () => String(++lastProduct);
const url = (name: string) => `https://example.com/${name}`;
const names = async (productId: string) =>
  (await readGallery(service, productId)).images.nodes.map(image => image.name);

describe('what lines say', () => {
  test('is what their images are', async () => {
    const id = newProduct();
    const text = `product_id,source,type,alt_text,alt_text_de,alt_text_pt_BR,description,is_thumbnail,focal_x,focal_y,colour
${id},${url('a.jpg')},detail_picture,front,vorne,frente,"two
lines",yes,0.25,1,red
${id},${url('f.jpg')},SPIN_360,,,,,,,,\n`;
    const { added, refused, told } = await importText(service, text);
    expect({ added, refused }).toEqual({ added: 2, refused: 0 });
    expect(told).toContain('Columns that say nothing that is imported: colour');
    const [image, frame] =
      await service.db.execute(`select type, image_group, state, source_url, source_host, name,
      alt_text, alt_texts, description, is_thumbnail, focal_x, focal_y, import_due_at <= now() as due
      from images where product_id = ${id} order by id`);
    expect(image).toMatchObject({
      type: 'DETAIL_PICTURE',
      state: 'IMPORTED',
      source_url: url('a.jpg'),
      source_host: 'example.com',
      name: 'a.jpg',
      alt_text: 'front',
      description: 'two\nlines',
      is_thumbnail: true,
      due: true,
    });
    expect(image?.alt_texts).toEqual({ de: 'vorne', 'pt-BR': 'frente' });
    expect(frame).toMatchObject({
      image_group: 'SPIN_360',
      alt_text: null,
      description: null,
      is_thumbnail: false,
      due: true,
    });
  });

  test('that is wrong is all told, and the other lines go on', async () => {
    const id = newProduct();
    const text = `product_id,source,type,alt_text,alt_text_x_,position,is_thumbnail
0,ftp://x/a,PHOTO,${'x'.repeat(513)},t,-1,maybe
${id},${url('a')},,,,,
,,,,,,
${id},a/b.jpg,,,,,\n`;
    const { added, refused, report } = await importText(service, text);
    expect({ added, refused }).toEqual({ added: 1, refused: 3 });
    expect(
      report.map(({ line, raw, problems }) => [
        line,
        raw.slice(0, 5),
        problems.map(({ code, field }) => `${code} ${field}`),
      ]),
    ).toEqual([
      [
        2,
        '0,ftp',
        [
          'INVALID product_id',
          'INVALID source.url',
          'INVALID type',
          'INVALID position',
          'INVALID is_thumbnail',
          'TEXT_TOO_LONG altText',
          'INVALID altTexts.0.locale',
        ],
      ],
      [4, ',,,,,', ['REQUIRED product_id', 'REQUIRED source']],
      [5, `${id},a/b.jpg`.slice(0, 5), ['SOURCE_NOT_FOUND source.path']],
    ]);
    expect(report[0]?.problems[3]?.message).toBe('position is "-1"; it must be a whole number, 0 or more');
  });
});

test('a focal point that is no number is told as it stands', async () => {
  const rows = ['0.5,left', '"0,5",0.5', '0.5,1.5'].map(
    (focus, index) => `${newProduct()},${url(String(index))},${focus}\n`,
  );
  const { added, report } = await importText(service, `product_id,source,focal_x,focal_y\n${rows.join('')}`);
  expect(added).toBe(0);
  expect(report.flatMap(({ problems }) => problems.map(({ field, message }) => [field, message]))).toEqual([
    ['focal_y', 'focal_y is "left"; it must be a number such as 0.5'],
    ['focal_x', 'focal_x is "0,5"; it must be a number such as 0.5'],
    ['focalPoint.y', 'y is 1.5; it must be from 0 to 1'],
  ]);
});

describe('a URL', () => {
  test('with a control character is refused as by the API', async () => {
    const text = `product_id,source\n${newProduct()},"https://example.com/a\nb"\n`;
    const { added, report } = await importText(service, text);
    expect(added).toBe(0);
    expect(report.flatMap(({ problems }) => problems.map(({ field, message }) => [field, message]))).toEqual([
      [
        'source.url',
        'url is "https://example.com/a\\nb"; it must be an absolute http or https URL without control characters such as line breaks',
      ],
    ]);
  });

  test('has as many characters as by the API', async () => {
    const ids = [newProduct(), newProduct()];
    const [longest, longer] = [2_028, 2_029].map(count => url('🪑'.repeat(count)));
    const text = `product_id,source\n${ids[0]},${longest}\n${ids[1]},${longer}\n`;
    const { added, report } = await importText(service, text);
    expect(added).toBe(1);
    expect(report.map(({ line, problems }) => [line, problems[0]?.message])).toEqual([
      [3, 'url has 2049 characters; at most 2048'],
    ]);
  });
});

describe('places', () => {
  test('are those behind what is there, in the order of the file', async () => {
    const id = newProduct();
    await fill(service, id, ['a', 'b']);
    const version = (await readGallery(service, id)).imagesVersion;
    const lines = ['z', 'y', 'x', 'w'].map(name => `${id},${url(name)}\n`);
    await importText(service, `product_id,source\n${lines.join('')}`, { batchSize: 1 });
    expect(await names(id)).toEqual(['a', 'b', 'z', 'y', 'x', 'w']);
    expect((await readGallery(service, id)).imagesVersion).toBeGreaterThan(version);
  });

  test('that are given move the others down, the version rising once a batch', async () => {
    const id = newProduct();
    await fill(service, id, ['a', 'b', 'c']);
    const { imagesVersion } = await readGallery(service, id);
    const rows = [
      ['p3', '3'],
      ['last', ''],
      ['p0', '0'],
      ['p99', '99'],
    ].map(([name, place]) => `${id},${url(name ?? '')},${place}\n`);
    await importText(service, `product_id,source,position\n${rows.join('')}`);
    expect(await names(id)).toEqual(['p0', 'a', 'b', 'p3', 'c', 'p99', 'last']);
    expect((await readGallery(service, id)).imagesVersion).toBe(imagesVersion + 1);
    expect(await findBrokenSets(service)).toEqual([]);
  });

  test('that are sort orders with gaps and ties are an order', async () => {
    const id = newProduct();
    const rows = [
      ['d', 30],
      ['b', 10],
      ['c', 10],
      ['a', 2],
    ].map(([name, place]) => `${id},${url(String(name))},${place}\n`);
    await importText(service, `product_id,source,position\n${rows.join('')}`);
    expect(await names(id)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('that are left out come last, also where others leave gaps', async () => {
    const id = newProduct();
    const rows = [
      ['last', ''],
      ['b', '20'],
      ['a', '10'],
      ['very last', ''],
    ].map(([name, place]) => `${id},${url(String(name))},${place}\n`);
    await importText(service, `product_id,source,position\n${rows.join('')}`);
    expect(await names(id)).toEqual(['a', 'b', 'last', 'very last']);
  });

  test('between images whose order keys are too long give all of them short ones', async () => {
    const id = newProduct();
    const [, b, c] = await fill(service, id, ['a', 'b', 'c', 'd']);
    await setOrderKeys(service, [
      [b?.id, longKeys[0]],
      [c?.id, longKeys[1]],
    ]);
    const rows = [`${url('last')},`, `${url('p2')},2`].map(row => `${id},${row}\n`);
    const { added, refused } = await importText(service, `product_id,source,position\n${rows.join('')}`);
    expect({ added, refused }).toEqual({ added: 2, refused: 0 });
    expect(await names(id)).toEqual(['a', 'b', 'p2', 'c', 'd', 'last']);
    expect(await findBrokenSets(service)).toEqual([]);
    await expectShortKeys(service, id);
  });

  test('behind an image whose order key is too long need no others', async () => {
    const id = newProduct();
    const [, b] = await fill(service, id, ['a', 'b']);
    await setOrderKeys(service, [[b?.id, longKeys[0].replace(/^a0/, 'a9')]]);
    await importText(service, `product_id,source\n${id},${url('c')}\n${id},${url('d')}\n`);
    expect(await names(id)).toEqual(['a', 'b', 'c', 'd']);
    expect(await findBrokenSets(service)).toEqual([]);
  });
});

describe('an image that is there already', () => {
  test('is counted and not added, however often a file is imported', async () => {
    const id = newProduct();
    await fill(service, id, ['a']);
    const text = `product_id,source\n${id},HTTPS://EXAMPLE.com/a\n${id},${url('b')}\n${id},${url('b')}\n`;
    const path = await writeBulkFile(text);
    expect(await importPath(service, path)).toMatchObject({ added: 1, alreadyThere: 2, isDone: true });
    const { imagesVersion } = await readGallery(service, id);
    expect(await importPath(service, path)).toMatchObject({ added: 0, alreadyThere: 3, isDone: true });
    expect(await names(id)).toEqual(['a', 'b']);
    expect((await readGallery(service, id)).imagesVersion).toBe(imagesVersion);
  });

  test('does not stand for a frame from the same address, nor for a deleted image', async () => {
    const id = newProduct();
    await fill(service, id, ['a']);
    await mutateWell(service, 'deleteAllProductImages', { productId: id });
    const text = `product_id,source,type\n${id},${url('a')},\n${id},${url('a')},SPIN_360\n`;
    expect(await importText(service, text)).toMatchObject({ added: 2, alreadyThere: 0 });
  });
});

describe('limits and roles', () => {
  test('a product takes no more than it may hold', async () => {
    const id = newProduct();
    await fill(service, id, ['a', 'b']);
    const limits = { ...testLimits, maxImages: { ...testLimits.maxImages, GALLERY: 3 } };
    const text = `product_id,source,position\n${id},${url('c')},0\n${id},${url('a')},\n${id},${url('d')},\n`;
    const { added, alreadyThere, report } = await importText(service, text, { limits });
    expect({ added, alreadyThere }).toEqual({ added: 1, alreadyThere: 1 });
    expect(report).toEqual([
      {
        line: 4,
        raw: `${id},${url('d')},`,
        problems: [
          {
            code: 'IMAGE_LIMIT_EXCEEDED',
            field: 'product_id',
            message: `product ${id} would have 4 gallery images; at most 3`,
          },
        ],
      },
    ]);
    expect(await names(id)).toEqual(['c', 'a', 'b']);
  });

  test('the last line that is flagged is the thumbnail, also instead of one that is there', async () => {
    const id = newProduct();
    await mutateWell(service, 'createProductImage', {
      input: { productId: id, source: { url: url('a') }, isThumbnail: true },
    });
    await importText(
      service,
      `product_id,source,is_thumbnail\n${id},${url('b')},1\n${id},${url('c')},1\n${id},${url('d')},0\n`,
    );
    expect(await listImages(service, `product_id = ${id} and is_thumbnail`)).toEqual([`${id}/c`]);
  });

  test('counts are exact', async () => {
    const [row] = await service.db.execute<{ count: number }>(
      'select count(*)::int as count from images where deleted_at is null',
    );
    expect(await countAll(service)).toBe(row?.count);
  });
});

test('changes of a live service and an import of the same products leave whole sets', async () => {
  const ids = Array.from({ length: 40 }, newProduct);
  const rows = Array.from(
    { length: 2_000 },
    (_, n) => `${ids[n % 40]},${url(`bulk${n}`)},${n % 3 === 0 ? 0 : ''}\n`,
  );
  const importing = importText(service, `product_id,source,position\n${rows.join('')}`, { batchSize: 100 });
  const changing = Array.from({ length: 120 }, async (_, n) => {
    const productId = ids[(n * 7) % 40] ?? '';
    return mutate(service, 'createProductImage', {
      input: { productId, source: { url: url(`live${n}`) }, position: 0 },
    });
  });
  const changed = await Promise.all(changing);
  expect(changed.flatMap(({ userErrors }) => userErrors)).toEqual([]);
  expect(await importing).toMatchObject({ added: 2_000, refused: 0 });
  expect(await listImages(service, `product_id in (${ids.join()})`)).toHaveLength(2_120);
  expect(await findBrokenSets(service)).toEqual([]);
});
