import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countAll, fill, fromUrl, replace } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

test('counts follow every change, deleted images apart', async () => {
  await fill(service, '1', ['a', 'b', 'c']);
  await replace(service, { productId: '2', images: [fromUrl('d')], images360: [fromUrl('s')] });
  await replace(service, { productId: '1', images: [fromUrl('b')] });
  expect(await countAll(service)).toBe(3);
  expect(await countAll(service, { deleted: true })).toBe(2);
  expect(await countAll(service, { types: ['SPIN_360'] })).toBe(1);
  expect(await countAll(service, { types: ['SPIN_360'], states: ['UPLOADED'] })).toBe(0);
  expect(await countAll(service, { types: [] })).toBe(0);
  expect(await countAll(service, { productIds: ['1'] })).toBe(1);
  expect(await countAll(service, { productIds: ['1'], deleted: true })).toBe(2);
});

test('what can no longer be restored does not count as deleted', async () => {
  await fill(service, '3', ['x', 'y']);
  const before = await countAll(service, { deleted: true });
  await service.query('mutation { deleteAllProductImages(productId: "3") { deletedCount } }');
  expect(await countAll(service, { deleted: true })).toBe(before + 2);
  await service.db.execute(
    "update images set restorable_until = now() - interval '1 second' where product_id = 3",
  );
  expect(await countAll(service, { deleted: true })).toBe(before);
  expect(await countAll(service, { deleted: true, types: ['MORE_PHOTO'] })).toBe(before);
  expect(await countAll(service, { deleted: true, productIds: ['3'] })).toBe(0);
});

test('a dry run counts nothing', async () => {
  const before = await countAll(service);
  await replace(service, { productId: '4', images: [fromUrl('q')], dryRun: true });
  expect(await countAll(service)).toBe(before);
});

test('counts equal the rows after many writers at once', async () => {
  const writers = Array.from({ length: 12 }, async (_, writer) => {
    for (let round = 0; round < 15; round++) {
      await fill(service, String(100 + writer), [`a${round}`, `b${round}`].slice(round % 2));
    }
  });
  await Promise.all(writers);
  const [row] = await service.db.execute<{ live: number; deleted: number }>(
    'select count(*) filter (where deleted_at is null)::int as live, count(*) filter (where restorable_until > now())::int as deleted from images',
  );
  expect(await countAll(service)).toBe(row?.live);
  expect(await countAll(service, { deleted: true })).toBe(row?.deleted);
});

test('a writer of one product does not wait for a writer of another', async () => {
  await fill(service, '200', ['a']);
  const other = postgres(service.databaseUrl, { max: 1 });
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
  const { promise: hasWritten, resolve: tellWritten } = Promise.withResolvers<void>();
  const open = other.begin(async transaction => {
    await transaction`insert into products (id) values (201)`;
    await transaction`insert into images (product_id, order_key, position, name) values (201, 'a0', 0, 'open')`;
    tellWritten();
    await mayEnd;
  });
  await hasWritten;
  const before = await countAll(service);
  // The service's lock timeout is two seconds: waiting would be an error here.
  await fill(service, '200', ['a', 'b', 'c']);
  expect(await countAll(service)).toBe(before + 2);
  end();
  await open;
  await other.end();
  expect(await countAll(service)).toBe(before + 3);
});

test('counting the store reads no image', async () => {
  const plan = await service.db.execute<{ 'QUERY PLAN': string }>(
    'explain select sum(count) from image_counts where not deleted',
  );
  expect(plan.map(row => row['QUERY PLAN']).join('\n')).not.toMatch(/on images/);
  service.statements.length = 0;
  await countAll(service);
  expect(service.statements).toEqual([expect.stringContaining('"image_counts"')]);
});
