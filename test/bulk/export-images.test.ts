import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIntake } from '../../src/importing/intake.ts';
import { measureImage } from '../../src/importing/measure-image.ts';
import { createLog } from '../../src/log.ts';
import { fill, mutateWell, replace } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { drawPicture, storeImage } from '../support/stored-images.ts';
import { exportText, findBrokenSets, importText, listImages, makeFolder } from './bulk-files.ts';

let from: TestService;
let to: TestService;
beforeAll(async () => {
  [from, to] = await Promise.all([openTestService(), openTestService()]);
});
afterAll(() => Promise.all([from.close(), to.close()]));

/** What an export tells of a gallery, from the tables themselves. */
const galleries = (service: TestService) =>
  service.db.execute<
    Record<string, unknown>
  >(`select product_id, image_group, position, type, name, source_url,
    is_thumbnail, alt_text, alt_texts, description, focal_x, focal_y
    from images where deleted_at is null order by product_id, image_group, order_key`);

async function fillStore(): Promise<void> {
  await fill(from, '9', ['x', 'y']);
  await fill(from, '9007199254740993', ['c', 'a', 'b', 'd']);
  await fill(from, '9007199254740993', ['d', 'b', 'a', 'e']);
  await mutateWell(from, 'createProductImage', {
    input: {
      productId: '9007199254740993',
      source: { url: 'https://example.com/f,"q"' },
      position: 1,
      type: 'DETAIL_PICTURE',
      isThumbnail: true,
      altText: 'Sofa, "front"; grey',
      altTexts: [
        { locale: 'de', text: 'Sofa,\nvorne' },
        { locale: 'pt-BR', text: 'Sofá' },
      ],
      description: ' kept as it is\r\n',
      focalPoint: { x: 0.1, y: 1 },
    },
  });
  await replace(from, {
    productId: '10',
    images: [],
    images360: ['s', 't'].map(name => ({ source: { url: `https://example.com/${name}` } })),
  });
  const swatch = { productId: '10', source: { url: 'https://example.com/s' }, type: 'COLOR_SWATCH' };
  await mutateWell(from, 'createProductImage', { input: swatch });
}

describe.each(['csv', 'ndjson'] as const)('an export as %s', format => {
  test('makes the same galleries in an empty store, and the same export there', async () => {
    await Promise.all(
      [from, to].map(service => service.db.execute('truncate images, image_counts, products')),
    );
    await fillStore();
    const exported = await exportText(from, format);
    const imported = await importText(to, exported, { name: `all.${format}`, batchSize: 3 });
    expect(imported).toMatchObject({ added: 10, alreadyThere: 0, refused: 0 });
    expect([...(await galleries(to))]).toEqual([...(await galleries(from))]);
    const withoutIds = (text: string) => text.replaceAll(/^(\d+,|\{"id":"\d+",)/gm, '');
    expect(withoutIds(await exportText(to, format))).toBe(withoutIds(exported));
    expect(await findBrokenSets(to)).toEqual([]);
  });
});

test('has pages that join without a gap', async () => {
  const rows = Array.from({ length: 4_500 }, (_, n) => `${100 + (n % 7)},https://example.com/${n}\n`);
  await importText(from, `product_id,source\n${rows.join('')}`);
  const lines = (await exportText(from, 'ndjson')).trimEnd().split('\n');
  const shown = lines
    .map(line => JSON.parse(line))
    .map(({ productId, source }) => `${productId}/${source.split('/').at(-1)}`);
  expect(shown).toEqual(await listImages(from));
});

test('an upload is exported as the address that the service has it at', async () => {
  const { hash } = await storeImage(from, '77', await drawPicture('#123456'));
  expect(await exportText(from, 'csv')).toContain(
    `,77,https://shop.example/${hash}?image/png,MORE_PHOTO,0,false,`,
  );
});

test('a file of the import directory is ready at once, told by its path, and not taken twice', async () => {
  const importDirectory = await makeFolder();
  await mkdir(join(importDirectory, 'sofas'));
  await writeFile(join(importDirectory, 'sofas/front.png'), await drawPicture('#654321'));
  await writeFile(join(importDirectory, 'copy.png'), await drawPicture('#654321'));
  await writeFile(join(importDirectory, 'text.png'), 'no picture');
  const { takePath } = openIntake(importDirectory);
  const text =
    'product_id,source\n88,sofas/front.png\n88,../secret.png\n88,text.png\n88,copy.png\n88,none.png\n';
  const { added, alreadyThere, report } = await importText(to, text, { takePath });
  expect({ added, alreadyThere }).toEqual({ added: 1, alreadyThere: 1 });
  expect(report.map(({ line, problems }) => [line, problems[0]?.code])).toEqual([
    [3, 'INVALID'],
    [4, 'UNSUPPORTED_TYPE'],
    [6, 'SOURCE_NOT_FOUND'],
  ]);
  expect(await listImages(to, "state = 'UPLOADED' and import_due_at is null")).toEqual(['88/front.png']);
  expect(await exportText(to, 'csv')).toContain(',88,sofas/front.png,');
  expect(await importText(to, text, { takePath })).toMatchObject({ added: 0, alreadyThere: 2, refused: 3 });
});

test('a file whose name begins or ends with a blank is found again by NDJSON', async () => {
  const importDirectory = await makeFolder();
  const names = [' lead.png', 'trail.png '];
  for (const [at, name] of names.entries()) {
    await writeFile(join(importDirectory, name), await drawPicture(`#00000${at}`));
  }
  const { takePath } = openIntake(importDirectory);
  const linesOf = (productId: string) =>
    names.map(source => `${JSON.stringify({ productId, source })}\n`).join('');
  expect(await importText(to, linesOf('601'), { takePath, name: 'a.ndjson' })).toMatchObject({
    added: 2,
    report: [],
  });
  const exported = await exportText(to, 'ndjson');
  const again = exported
    .split('\n')
    .flatMap(line => (line.includes('"601"') ? line.replace('"601"', '"602"') : []));
  expect(await importText(to, `${again.join('\n')}\n`, { takePath, name: 'b.ndjson' })).toMatchObject({
    added: 2,
    report: [],
  });
  const blanked = `${JSON.stringify({ productId: '603', source: ' https://shop.example/a.png ' })}\n`;
  expect(await importText(to, blanked, { takePath, name: 'c.ndjson' })).toMatchObject({
    added: 1,
    report: [],
  });
});

function openIntake(importDirectory: string) {
  return createIntake({
    storage: to.storage,
    measure: measureImage,
    maxBytes: 1_000_000,
    importDirectory,
    log: createLog('silent'),
  });
}
