import { createHash } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selectImages } from '../../src/data/images.ts';
import { statement, statementByShape } from '../../src/data/statement.ts';
import { files, images } from '../../src/data/tables.ts';
import { fill } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
  await fill(service, '9007199254740993', ['a', 'b']);
  await service.db.execute(sql`
    insert into files (hash, mime_type, byte_size, width, height, thumbhash, dominant_color, has_alpha)
    values (sha256('x'), 'image/png', 1, 2, 3, 'hash', '#abcdef', true)`);
  await service.db.execute(sql`
    update images set file_hash = sha256('x'), alt_texts = '{"de": "Stuhl"}', focal_x = 0.25, retry_at = now()
    where name = 'b'`);
});
afterAll(() => service.close());

const byProduct = statement(db =>
  selectImages(db)
    .where(eq(images.productId, sql.placeholder('productId')))
    .orderBy(images.orderKey)
    .prepare('by_product'),
);

test('rows are as Drizzle makes them', async () => {
  const rows = await byProduct(service.db, { productId: '9007199254740993' });
  const drizzles = await selectImages(service.db).orderBy(images.orderKey);
  expect(rows).toStrictEqual(drizzles);
  expect(rows).toMatchObject([
    { fileHash: null, width: null, retryAt: null },
    { width: 2, hasAlpha: true, altTexts: { de: 'Stuhl' }, focalX: 0.25, retryAt: expect.any(Date) },
  ]);
});

test('a statement is built once, for all connections and transactions', async () => {
  let count = 0;
  const names = statementByShape((db, { descending }: { descending: boolean }) => {
    count++;
    return db
      .select({ name: images.name })
      .from(images)
      .orderBy(descending ? sql`${images.name} desc` : images.name)
      .prepare('names');
  });
  const read = (descending: boolean) =>
    service.db.transaction(async transaction => {
      await transaction.execute(sql`update images set name = 'c' where name = 'a'`);
      const rows = await transaction.transaction(part => names(part, { descending }, {}));
      await transaction.execute(sql`update images set name = 'a' where name = 'c'`);
      return rows.map(({ name }) => name);
    });
  expect([await read(false), await read(true), await read(false)]).toEqual([
    ['b', 'c'],
    ['c', 'b'],
    ['b', 'c'],
  ]);
  expect(count).toBe(2);
});

test('what returns nothing, and SQL of its own, are statements too', async () => {
  const remark = statement(db =>
    db
      .update(images)
      .set({ description: sql`${sql.placeholder('text')}` })
      .where(eq(images.name, sql.placeholder('name')))
      .prepare('remark'),
  );
  const describe = statement(
    () => sql<{ description: string }>`
    select description from images where name = ${sql.placeholder('name')}`,
  );
  await remark(service.db, { text: 'old', name: 'a' });
  expect(await describe(service.db, { name: 'a' })).toEqual([{ description: 'old' }]);
});

test('bytes of a parameter are encoded by its column', async () => {
  const byHash = statement(db =>
    db
      .select({ mimeType: files.mimeType })
      .from(files)
      .where(eq(files.hash, sql.param(sql.placeholder('hash'), files.hash)))
      .prepare('by_hash'),
  );
  const hash = createHash('sha256').update('x').digest('hex');
  expect(await byHash(service.db, { hash })).toEqual([{ mimeType: 'image/png' }]);
});

test('a statement without the value of a placeholder is refused', async () => {
  await expect(byProduct(service.db, {})).rejects.toThrow('placeholder productId');
});

test('columns that are selected in groups are refused', () => {
  const grouped = statement(db =>
    db
      .select({ image: { id: images.id } })
      .from(images)
      .prepare('grouped'),
  );
  expect(() => grouped(service.db, {})).toThrow('image.id is selected');
});
