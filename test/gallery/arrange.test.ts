import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  fill,
  fromUrl,
  galleryNames,
  linesOf,
  mutate,
  mutateWell,
  readGallery,
  replace,
} from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

let lastProduct = 9_000_000_000;
const newProduct = () => String(++lastProduct);

async function filled(names: string[]) {
  const productId = newProduct();
  const images = await fill(service, productId, names);
  const ids = new Map(images.map(image => [image.name, image.id]));
  return { productId, idsOf: (...wanted: string[]) => wanted.map(name => ids.get(name) ?? '') };
}

const remove = (ids: string[]) => mutateWell(service, 'deleteProductImages', { ids });
const restore = (ids: string[]) => mutateWell(service, 'restoreProductImages', { ids });

describe('reorderProductImages', () => {
  test.for([
    [['c'], ['c', 'a', 'b', 'd']],
    [
      ['d', 'a'],
      ['d', 'a', 'b', 'c'],
    ],
    [
      ['d', 'c', 'b', 'a'],
      ['d', 'c', 'b', 'a'],
    ],
    [
      ['a', 'b'],
      ['a', 'b', 'c', 'd'],
    ],
    [[], ['a', 'b', 'c', 'd']],
  ] as const)('with %j first makes %j', async ([first, names]) => {
    const { productId, idsOf } = await filled(['a', 'b', 'c', 'd']);
    const { images, product } = await mutateWell(service, 'reorderProductImages', {
      productId,
      imageIds: idsOf(...first),
    });
    expect(images.map(image => [image.name, image.position])).toEqual(
      first.map((name, place) => [name, place]),
    );
    expect(await galleryNames(service, productId)).toEqual(names);
    const isChanged = names.join('') !== 'abcd';
    expect(product?.imagesVersion).toBe(isChanged ? 2 : 1);
    const { images: stored } = await readGallery(service, productId);
    expect(stored.nodes.map(node => node.position)).toEqual([0, 1, 2, 3]);
  });

  test('orders frames and gallery each among themselves', async () => {
    const productId = newProduct();
    const images360 = ['s', 't'].map(fromUrl);
    const { images } = await replace(service, { productId, images: ['a', 'b'].map(fromUrl), images360 });
    const imageIds = images.map(image => image.id).reverse();
    await mutateWell(service, 'reorderProductImages', { productId, imageIds });
    const stored = await readGallery(service, productId);
    expect(stored.images.nodes.map(image => image.name)).toEqual(['b', 'a']);
    expect(stored.images360.map(image => image.name)).toEqual(['t', 's']);
  });

  test('takes a whole gallery of a thousand', async () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `n${index}`);
    const { productId, idsOf } = await filled(names);
    await mutateWell(service, 'reorderProductImages', { productId, imageIds: idsOf(...names.toReversed()) });
    expect(await galleryNames(service, productId)).toEqual(names.toReversed().slice(0, 250));
  });

  test('tells all that is wrong and moves nothing', async () => {
    const { productId, idsOf } = await filled(['a', 'b']);
    const foreign = await filled(['f']);
    const [a, b] = idsOf('a', 'b');
    const [f] = foreign.idsOf('f');
    await remove([b ?? '']);
    const { userErrors, images } = await mutate(service, 'reorderProductImages', {
      productId,
      imageIds: [a, a, b, f, '888888', 'x'],
      expectedVersion: 1,
    });
    expect(images).toEqual([]);
    expect(linesOf(userErrors)).toEqual([
      'INVALID imageIds.5: imageIds[5] is "x"; it must be a decimal integer from 1 to 9223372036854775807',
      `DUPLICATE_INPUT imageIds.1: id ${a} stands at imageIds.0 already; name each image once`,
      'VERSION_CONFLICT expectedVersion: expectedVersion is 1, but the images are at version 2; read them anew and decide again',
      `IMAGE_NOT_FOUND imageIds.2: Product image not found with id: ${b}`,
      `IMAGE_NOT_ON_PRODUCT imageIds.3: image ${f} is on product ${foreign.productId}, not on ${productId}`,
      'IMAGE_NOT_FOUND imageIds.4: Product image not found with id: 888888',
    ]);
  });

  test('knows no product that it has never seen', async () => {
    const { userErrors } = await mutate(service, 'reorderProductImages', {
      productId: '123454321',
      imageIds: [],
    });
    expect(linesOf(userErrors)).toEqual([
      'PRODUCT_NOT_FOUND productId: Product not found with id: 123454321',
    ]);
  });

  test('refuses more ids than a product can have images', async () => {
    const imageIds = Array.from({ length: 1_201 }, (_, index) => String(index + 1));
    const { userErrors } = await mutate(service, 'reorderProductImages', { productId: '1', imageIds });
    expect(linesOf(userErrors)).toEqual([
      'BATCH_LIMIT_EXCEEDED imageIds: 1201 ids are given; at most 1200 in one call',
    ]);
  });
});

describe('deleteProductImages', () => {
  test('deletes on several products at once', async () => {
    const [one, other] = [await filled(['a', 'b']), await filled(['c'])];
    const ids = [...one.idsOf('b'), ...other.idsOf('c')];
    const { deletedIds, deletedCount } = await remove(ids);
    expect([deletedIds, deletedCount]).toEqual([ids, 2]);
    expect(await galleryNames(service, one.productId)).toEqual(['a']);
    expect(await readGallery(service, other.productId)).toMatchObject({ imageCount: 0, imagesVersion: 2 });
  });

  test('deletes nothing where one id is wrong, and tells of each', async () => {
    const { productId, idsOf } = await filled(['a']);
    const [a] = idsOf('a');
    const { userErrors, deletedCount } = await mutate(service, 'deleteProductImages', {
      ids: [a, '888888', 'x', a],
    });
    expect(linesOf(userErrors)).toEqual([
      'INVALID ids.2: ids[2] is "x"; it must be a decimal integer from 1 to 9223372036854775807',
      `DUPLICATE_INPUT ids.3: id ${a} stands at ids.0 already; name each image once`,
      'IMAGE_NOT_FOUND ids.1: Product image not found with id: 888888',
    ]);
    expect(deletedCount).toBe(0);
    expect(await galleryNames(service, productId)).toEqual(['a']);
  });

  test('in a dry run tells what it would delete', async () => {
    const { productId, idsOf } = await filled(['a', 'b']);
    const before = await readGallery(service, productId);
    const { deletedIds } = await mutateWell(service, 'deleteProductImages', {
      ids: idsOf('b'),
      dryRun: true,
    });
    expect(deletedIds).toEqual(idsOf('b'));
    expect(await readGallery(service, productId)).toEqual(before);
  });

  test.for(['deleteProductImages', 'restoreProductImages'] as const)(
    '%s takes 250 ids, not 251',
    async name => {
      const ids = Array.from({ length: 251 }, (_, index) => String(10_000_000 + index));
      const { userErrors } = await mutate(service, name, { ids });
      expect(linesOf(userErrors)).toEqual([
        'BATCH_LIMIT_EXCEEDED ids: 251 ids are given; at most 250 in one call',
      ]);
      const fewer = await mutate(service, name, { ids: ids.slice(1) });
      expect(new Set(fewer.userErrors.map(({ code }) => code))).toEqual(new Set(['IMAGE_NOT_FOUND']));
    },
  );
});

describe('restoreProductImages', () => {
  test('puts all 251 back in order, in two calls', async () => {
    const names = Array.from({ length: 251 }, (_, index) => `n${index}`);
    const { productId } = await filled(names);
    const { deletedIds } = await mutateWell(service, 'deleteAllProductImages', { productId });
    await restore(deletedIds.slice(100));
    const { images, product } = await restore(deletedIds.slice(0, 100));
    expect(images.map(image => image.id)).toEqual(deletedIds.slice(0, 100));
    expect(product).toMatchObject({ id: productId, imagesVersion: 4 });
    const data = await service.query<{
      product: { images: { nodes: { name: string }[]; totalCount: number } };
    }>('query ($id: ID!) { product(id: $id) { images(last: 250) { totalCount nodes { name } } } }', {
      id: productId,
    });
    expect(data.product.images.totalCount).toBe(251);
    expect(data.product.images.nodes.map(node => node.name)).toEqual(names.slice(1));
  });

  test('puts an image back between those that stayed', async () => {
    const { productId, idsOf } = await filled(['a', 'b', 'c', 'd', 'e']);
    await remove(idsOf('b', 'd'));
    await mutateWell(service, 'createProductImage', { input: { productId, ...fromUrl('x'), position: 0 } });
    await restore(idsOf('d'));
    expect(await galleryNames(service, productId)).toEqual(['x', 'a', 'c', 'd', 'e']);
    const { images } = await restore(idsOf('b'));
    expect(await galleryNames(service, productId)).toEqual(['x', 'a', 'b', 'c', 'd', 'e']);
    expect(images).toMatchObject([{ name: 'b', position: 2, deletedAt: null }]);
  });

  test('restores a set that was replaced meanwhile beside the new one', async () => {
    const { productId, idsOf } = await filled(['a', 'b']);
    await fill(service, productId, ['c', 'd']);
    await restore(idsOf('a', 'b'));
    const names = await galleryNames(service, productId);
    expect(names).toHaveLength(4);
    expect(names.filter(name => 'ab'.includes(name))).toEqual(['a', 'b']);
    expect(names.filter(name => 'cd'.includes(name))).toEqual(['c', 'd']);
  });

  test('makes the thumbnail again what was, unless there is one since', async () => {
    const { productId, idsOf } = await filled(['a', 'b', 'c']);
    const [b, c] = idsOf('b', 'c');
    const flag = (id: string | undefined) =>
      mutateWell(service, 'updateProductImage', { id, input: { isThumbnail: true } });
    await flag(b);
    await remove(idsOf('b'));
    expect((await restore(idsOf('b'))).images).toMatchObject([{ isThumbnail: true }]);
    await remove(idsOf('b'));
    await flag(c);
    expect((await restore(idsOf('b'))).images).toMatchObject([{ isThumbnail: false }]);
    const data = await service.query('query ($id: ID!) { product(id: $id) { thumbnail { id } } }', {
      id: productId,
    });
    expect(data).toEqual({ product: { thumbnail: { id: c } } });
  });

  test('keeps texts, id and source', async () => {
    const productId = newProduct();
    const { image } = await mutateWell(service, 'createProductImage', {
      input: { productId, ...fromUrl('a'), altText: 'kept', altTexts: [{ locale: 'de', text: 'auch' }] },
    });
    await remove([image?.id ?? '']);
    const { images } = await restore([image?.id ?? '']);
    expect(images).toEqual([{ ...image, updatedAt: expect.any(String) }]);
  });

  test('restores on several products at once', async () => {
    const [one, other] = [await filled(['a']), await filled(['b'])];
    const ids = [...one.idsOf('a'), ...other.idsOf('b')];
    await remove(ids);
    const { images, product } = await restore(ids);
    expect([images.map(image => image.name), product]).toEqual([['a', 'b'], null]);
  });

  test('tells all that is wrong and restores nothing', async () => {
    const { productId, idsOf } = await filled(['a', 'b', 'c']);
    const [a, b, c] = idsOf('a', 'b', 'c') as [string, string, string];
    const { deletedImages } = await remove([b, c]);
    await service.db.execute(
      `update images set restorable_until = '2024-01-02T03:04:05.678Z' where id = ${c}`,
    );
    const { userErrors } = await mutate(service, 'restoreProductImages', { ids: [a, b, b, c, '888888', ''] });
    expect(deletedImages).toHaveLength(2);
    expect(linesOf(userErrors)).toEqual([
      'INVALID ids.5: ids[5] is ""; it must be a decimal integer from 1 to 9223372036854775807',
      `DUPLICATE_INPUT ids.2: id ${b} stands at ids.1 already; name each image once`,
      `NOT_RESTORABLE ids.0: image ${a} is not deleted`,
      `NOT_RESTORABLE ids.3: image ${c} could be restored until 2024-01-02T03:04:05.678Z`,
      'IMAGE_NOT_FOUND ids.4: Product image not found with id: 888888',
    ]);
    expect(await galleryNames(service, productId)).toEqual(['a']);
  });
});

test('restoring refuses a gallery that would be too large', async () => {
  const small = await openTestService({ MAX_GALLERY_IMAGES: '2' });
  try {
    const [a] = await fill(small, '1', ['a', 'b']);
    await mutateWell(small, 'deleteProductImages', { ids: [a?.id] });
    await mutateWell(small, 'createProductImage', { input: { productId: '1', ...fromUrl('c') } });
    const { userErrors } = await mutate(small, 'restoreProductImages', { ids: [a?.id] });
    expect(linesOf(userErrors)).toEqual([
      'IMAGE_LIMIT_EXCEEDED ids: the product would have 3 gallery images; at most 2',
    ]);
  } finally {
    await small.close();
  }
});
