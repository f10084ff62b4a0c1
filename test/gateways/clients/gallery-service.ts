import { fill } from '../../support/gallery.ts';
import { openTestService, type TestService } from '../../support/service.ts';

export interface GalleryService extends TestService {
  /** Of the GraphQL endpoint. */
  endpoint: string;
  productId: string;
  imageIds: string[];
}

/** A service with a product of five images, a to e, that has the same id as the first of them. */
export async function openGalleryService(): Promise<GalleryService> {
  const service = await openTestService();
  const productId = '1';
  const images = await fill(service, productId, ['a', 'b', 'c', 'd', 'e']);
  return Object.assign(service, {
    endpoint: `${service.url}/graphql`,
    productId,
    imageIds: images.map(({ id }) => id),
  });
}
