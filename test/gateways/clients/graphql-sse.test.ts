import { afterAll, beforeAll, expect, test } from 'vitest';
import { mutateWell } from '../../support/gallery.ts';
import { followProduct } from './follow-product.ts';
import { type GalleryService, openGalleryService } from './gallery-service.ts';

let service: GalleryService;
beforeAll(async () => {
  service = await openGalleryService();
});
afterAll(() => service?.close());

test('graphql-sse is told how the images are, and of a change', async () => {
  const [id = ''] = service.imageIds;
  const texts: (string | null | undefined)[] = [];
  for await (const { data, errors } of followProduct(service.endpoint, service.productId)) {
    expect(errors).toBeUndefined();
    texts.push(data?.productImagesChanged.product.images.nodes.find(image => image.id === id)?.altText);
    if (texts.length === 2) break;
    await mutateWell(service, 'updateProductImage', { id, input: { altText: 'A teapot' } });
  }
  expect(texts).toEqual([null, 'A teapot']);
});
