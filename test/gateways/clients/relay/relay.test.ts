import {
  commitMutation,
  createOperationDescriptor,
  Environment,
  fetchQuery,
  type GraphQLResponse,
  getFragment,
  getRequest,
  getSingularSelector,
  Network,
  RecordSource,
  Store,
} from 'relay-runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GalleryService, openGalleryService } from '../gallery-service.ts';
import type { gallery_images$data as Gallery } from './__generated__/gallery_images.graphql.ts';
import type { galleryDeleteImagesMutation } from './__generated__/galleryDeleteImagesMutation.graphql.ts';
import pageQuery, { type galleryPageQuery } from './__generated__/galleryPageQuery.graphql.ts';
import type { galleryQuery as GalleryQuery } from './__generated__/galleryQuery.graphql.ts';
import { deleteImages, galleryFragment, galleryQuery } from './gallery.ts';

let service: GalleryService;
beforeAll(async () => {
  service = await openGalleryService();
});
afterAll(() => service?.close());

function createEnvironment(): Environment {
  return new Environment({
    network: Network.create(async ({ text }, variables) => {
      const response = await fetch(service.endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: text, variables }),
      });
      return (await response.json()) as GraphQLResponse;
    }),
    store: new Store(new RecordSource()),
    // A product and an image may have the same id. Images keep theirs, as @deleteRecord wants it.
    getDataID: ({ id }, type) => (id && type !== 'ProductImage' ? `${type}:${id}` : id),
  });
}

/** What a component with the fragment would show, as the store has it now. */
function readGallery(
  environment: Environment,
  variables: GalleryQuery['variables'],
): Gallery['product']['images'] {
  const { fragment } = createOperationDescriptor(getRequest(galleryQuery), variables);
  const selector = getSingularSelector(getFragment(galleryFragment), environment.lookup(fragment).data);
  if (!selector) throw new Error('The gallery is not in the store');
  const { product } = environment.lookup(selector).data as unknown as Gallery;
  return product.images;
}

const namesIn = ({ edges }: Gallery['product']['images']) => edges.map(edge => edge?.node?.name);

test('Relay refetches a connection page by page, and drops what was deleted', async () => {
  const environment = createEnvironment();
  const variables = { productId: service.productId, count: 2 };
  const gallery = () => readGallery(environment, variables);

  await fetchQuery<GalleryQuery>(environment, galleryQuery, variables).toPromise();
  expect(namesIn(gallery())).toEqual(['a', 'b']);
  while (gallery().pageInfo.hasNextPage) {
    const page = { ...variables, cursor: gallery().pageInfo.endCursor };
    await fetchQuery<galleryPageQuery>(environment, pageQuery, page).toPromise();
  }
  expect(namesIn(gallery())).toEqual(['a', 'b', 'c', 'd', 'e']);

  const [id = ''] = service.imageIds;
  await new Promise<void>((resolve, reject) => {
    commitMutation<galleryDeleteImagesMutation>(environment, {
      mutation: deleteImages,
      variables: { ids: [id] },
      onCompleted: () => resolve(),
      onError: reject,
    });
  });
  expect(namesIn(gallery()).filter(Boolean)).toEqual(['b', 'c', 'd', 'e']);
});
