import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { countAll, fill, linesOf, mutate, mutateWell, readGallery, replace } from '../support/gallery.ts';
import { deleteAll, deleteMany, deleteOne } from '../support/mutations.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { drawPicture, storeImage } from '../support/stored-images.ts';
import { setUpExamples } from './document-values.ts';

// What the REST service for product images documents of its deletions, in the document's order, done here.

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

/** The document's product 101 with the images 1 to 3; its second product is there to be left alone. */
beforeEach(() =>
  setUpExamples(service, [
    { id: '1', input: { productId: '101', source: { url: 'https://example.com/images/sofa-1.jpg' } } },
    { id: '2', input: { productId: '101', source: { url: 'https://example.com/images/sofa-2.jpg' } } },
    { id: '3', input: { productId: '101', source: { url: 'https://example.com/images/sofa-3.jpg' } } },
    { id: '4', input: { productId: '102', source: { url: 'https://example.com/images/lamp-1.jpg' } } },
  ]),
);

async function idsOf(productId: string): Promise<string[]> {
  const { images } = await readGallery(service, productId);
  return images.nodes.map(image => image.id);
}

/** What GraphQL says of an argument that a document leaves out. */
const missing = (name: string) => ({
  message: expect.stringContaining(`argument "${name}" of type "ID!" is required`),
  extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
});

const newSofa = {
  source: { url: 'https://example.com/images/new-sofa-1.jpg' },
  altText: 'New sofa image',
};

describe('Delete Single Product Image', () => {
  // "Deletes a specific product image by its ID." curl -X DELETE ".../api/v1/product-images/1"
  test('deletes the image with the id, and no other', async () => {
    await deleteOne(service, { id: '1' });
    expect([await idsOf('101'), await idsOf('102')]).toEqual([['2', '3'], ['4']]);
  });

  // "id integer required: The unique identifier of the product image to delete"
  test('takes the id as a number too', async () => {
    expect(await deleteOne(service, { id: 1 })).toMatchObject({ deletedIds: ['1'] });
  });

  test.for(['', 'one', '1.5', '-1', '0', '01', '9223372036854775808'])('refuses the id "%s"', async id => {
    const { deletedCount, userErrors } = await deleteOne(service, { id });
    expect(deletedCount).toBe(0);
    expect(linesOf(userErrors)).toEqual([
      `INVALID id: id is "${id}"; it must be a decimal integer from 1 to 9223372036854775807`,
    ]);
  });

  test('refuses a call without the id', async () => {
    const { errors } = await service.send('mutation { deleteProductImage { deletedCount } }');
    expect(errors).toMatchObject([missing('id')]);
    expect(await idsOf('101')).toEqual(['1', '2', '3']);
  });

  // "204 No Content: Product image successfully deleted"
  test('says that it succeeded, and what it deleted', async () => {
    const { deletedCount, deletedIds, deletedImages, userErrors } = await deleteOne(service, { id: '1' });
    expect({ deletedCount, deletedIds, userErrors }).toEqual({
      deletedCount: 1,
      deletedIds: ['1'],
      userErrors: [],
    });
    expect(deletedImages).toMatchObject([
      { id: '1', productId: '101', sourceUrl: 'https://example.com/images/sofa-1.jpg' },
    ]);
  });

  // "404 Not Found: Product image with the specified ID was not found"
  // { "status": 404, "error": "Not Found", "message": "Product image not found with id: 999" }
  test('404 "Product image not found with id: 999" is IMAGE_NOT_FOUND', async () => {
    const { deletedCount, deletedIds, deletedImages, userErrors } = await deleteOne(service, { id: '999' });
    expect({ deletedCount, deletedIds, deletedImages }).toEqual({
      deletedCount: 0,
      deletedIds: [],
      deletedImages: [],
    });
    expect(userErrors).toEqual([
      { code: 'IMAGE_NOT_FOUND', path: ['id'], message: 'Product image not found with id: 999' },
    ]);
  });

  test('does not find an image that is deleted already', async () => {
    await deleteOne(service, { id: '1' });
    const { userErrors } = await deleteOne(service, { id: '1' });
    expect(linesOf(userErrors)).toEqual(['IMAGE_NOT_FOUND id: Product image not found with id: 1']);
  });
});

describe('Delete All Product Images', () => {
  // "Deletes all images associated with a specific product." DELETE .../product-images/product/101
  test('deletes all images of the product, and of no other', async () => {
    await deleteAll(service, '101');
    expect([await idsOf('101'), await idsOf('102')]).toEqual([[], ['4']]);
  });

  test('deletes frames and swatches too', async () => {
    for (const type of ['SPIN_360', 'COLOR_SWATCH']) {
      const source = { url: `https://example.com/images/${type}.jpg` };
      await mutateWell(service, 'createProductImage', { input: { productId: '101', source, type } });
    }
    expect((await deleteAll(service, '101')).deletedCount).toBe(5);
    expect(await countAll(service, { productIds: ['101'] })).toBe(0);
  });

  // "productId integer required: The ID of the product whose images should be deleted"; const productId = 101
  test('takes the productId as a number too', async () => {
    expect((await deleteAll(service, 101)).deletedIds).toEqual(['1', '2', '3']);
  });

  test('refuses a productId that is none', async () => {
    const { userErrors } = await deleteAll(service, 'sofa');
    expect(linesOf(userErrors)).toEqual([
      'INVALID productId: productId is "sofa"; it must be a decimal integer from 1 to 9223372036854775807',
    ]);
  });

  test('refuses a call without the productId', async () => {
    const { errors } = await service.send('mutation { deleteAllProductImages { deletedCount } }');
    expect(errors).toMatchObject([missing('productId')]);
  });

  // "204 No Content: All product images successfully deleted"
  test('says that it succeeded, and what it deleted', async () => {
    const { deletedCount, deletedIds, deletedImages, userErrors } = await deleteAll(service, '101');
    expect({ deletedCount, deletedIds, userErrors }).toEqual({
      deletedCount: 3,
      deletedIds: ['1', '2', '3'],
      userErrors: [],
    });
    expect(deletedImages.map(({ id, name, position }) => [id, name, position])).toEqual([
      ['1', 'sofa-1.jpg', 0],
      ['2', 'sofa-2.jpg', 1],
      ['3', 'sofa-3.jpg', 2],
    ]);
  });
});

describe('Common Use Cases', () => {
  // "Remove a Specific Image: … when it's no longer needed" DELETE .../product-images/3
  test('a single image is deleted when it is no longer needed', async () => {
    await deleteOne(service, { id: '3' });
    expect(await idsOf('101')).toEqual(['1', '2']);
  });

  // "… or needs to be replaced"
  test('an image that needs to be replaced takes another source and keeps its id and place', async () => {
    const { source } = newSofa;
    const { image } = await mutateWell(service, 'updateProductImage', { id: '3', input: { source } });
    expect(image).toMatchObject({ id: '3', sourceUrl: source.url, position: 2 });
    expect(await idsOf('101')).toEqual(['1', '2', '3']);
  });

  // "Clear All Images Before Re-upload: Delete all images for a product before uploading a new set"
  test('a new set takes the place of all images in one step', async () => {
    const version = (await readGallery(service, '101')).imagesVersion;
    const { images, added, kept, removed, product, userErrors } = await replace(service, {
      productId: '101',
      images: [newSofa],
    });
    expect(userErrors).toEqual([]);
    expect(images).toMatchObject([{ sourceUrl: newSofa.source.url, altText: 'New sofa image', position: 0 }]);
    expect(added).toEqual(images);
    expect(kept).toEqual([]);
    expect(removed.map(image => image.id)).toEqual(['1', '2', '3']);
    expect(product?.imagesVersion).toBe(version + 1);
  });

  // "First, delete all existing images", "Then, upload new images": "displayOrder": 1
  test('a product is also cleared first and filled then', async () => {
    await deleteAll(service, '101');
    const { image } = await mutateWell(service, 'createProductImage', {
      input: { productId: '101', ...newSofa, position: 0 },
    });
    expect(image).toMatchObject({
      productId: '101',
      altText: 'New sofa image',
      position: 0,
      isPrimary: true,
    });
    expect(await idsOf('101')).toEqual([image?.id]);
  });

  // "Batch Delete Before Product Removal: Remove all images before deleting a product"
  test('before a product goes, its images are purged with their bytes', async () => {
    const { key } = await storeImage(service, '101', await drawPicture('#5ca1ab'));
    const { deletedCount } = await deleteAll(service, '101', { permanent: true });
    expect(deletedCount).toBe(4);
    expect(await service.storage.stat(key)).toBeNull();
    expect(await countAll(service, { productIds: ['101'], deleted: true })).toBe(0);
  });

  test('before a product goes, what was deleted of it earlier is purged too', async () => {
    await deleteOne(service, { id: '2' });
    await deleteAll(service, '101', { permanent: true });
    expect(await countAll(service, { productIds: ['101'], deleted: true })).toBe(0);
  });
});

describe('Important Notes', () => {
  // "Deleting a product image is a permanent action and cannot be undone."
  test('a deletion can be undone here', async () => {
    const before = await readGallery(service, '101');
    const [deleted] = (await deleteOne(service, { id: '1' })).deletedImages;
    expect(Date.parse(deleted?.restorableUntil ?? '')).toBeGreaterThan(Date.now());
    await mutateWell(service, 'restoreProductImages', { ids: ['1'] });
    const { images } = await readGallery(service, '101');
    expect(images.nodes.map(({ id, position }) => [id, position])).toEqual(
      before.images.nodes.map(({ id, position }) => [id, position]),
    );
  });

  test('a deletion of all images can be undone here', async () => {
    const { deletedIds } = await deleteAll(service, '101');
    const { images } = await mutateWell(service, 'restoreProductImages', { ids: deletedIds });
    expect(images.map(({ id, position, deletedAt }) => [id, position, deletedAt])).toEqual([
      ['1', 0, null],
      ['2', 1, null],
      ['3', 2, null],
    ]);
    expect(await idsOf('101')).toEqual(['1', '2', '3']);
  });

  test('a deletion that is asked to be permanent cannot be undone', async () => {
    await deleteOne(service, { id: '1', permanent: true });
    const { userErrors } = await mutate(service, 'restoreProductImages', { ids: ['1'] });
    expect(linesOf(userErrors)).toEqual(['IMAGE_NOT_FOUND ids.0: Product image not found with id: 1']);
  });

  // "the operation will succeed even if the product has no images. This is not considered an error condition."
  test.for(['101', '100999'])('deleting all of product %s succeeds without images', async productId => {
    await deleteAll(service, productId);
    expect(await deleteAll(service, productId)).toEqual({
      deletedCount: 0,
      deletedIds: [],
      deletedImages: [],
      userErrors: [],
    });
  });

  // "Before deleting images, consider fetching them first to verify you're deleting the correct ones, …"
  test('a dry run tells what would be deleted and deletes nothing', async () => {
    const before = await readGallery(service, '101');
    const { deletedIds } = await deleteMany(service, ['3', '1'], { dryRun: true });
    expect(deletedIds).toEqual(['3', '1']);
    expect(await readGallery(service, '101')).toEqual(before);
  });

  // "… especially when using the delete all endpoint."
  test('a dry run of deleting all tells just what the deletion then does', async () => {
    const before = await readGallery(service, '101');
    const planned = await deleteAll(service, '101', { dryRun: true });
    expect(await readGallery(service, '101')).toEqual(before);
    const done = await deleteAll(service, '101');
    expect(done.deletedIds).toEqual(planned.deletedIds);
    expect(done.deletedImages.map(image => image.name)).toEqual(['sofa-1.jpg', 'sofa-2.jpg', 'sofa-3.jpg']);
  });

  test('images can be fetched first by their ids', async () => {
    const [stranger] = await fill(service, '103', ['x']);
    await deleteOne(service, { id: stranger?.id ?? '' });
    const data = await service.query('query ($ids: [ID!]!) { productImagesByIds(ids: $ids) { id name } }', {
      ids: ['1', stranger?.id, '4'],
    });
    expect(data).toEqual({
      productImagesByIds: [{ id: '1', name: 'sofa-1.jpg' }, null, { id: '4', name: 'lamp-1.jpg' }],
    });
  });
});
