import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DeleteImagesDocument, GalleryDocument, type GalleryQuery } from './__generated__/documents.ts';
import { type GalleryService, openGalleryService } from './gallery-service.ts';

let service: GalleryService;
beforeAll(async () => {
  service = await openGalleryService();
});
afterAll(() => service?.close());

function openClient(): ApolloClient {
  return new ApolloClient({
    link: new HttpLink({ uri: service.endpoint }),
    cache: new InMemoryCache({
      typePolicies: { Product: { fields: { images: relayStylePagination() } } },
    }),
  });
}

const namesIn = (data: GalleryQuery | undefined) => data?.product.images.edges.map(({ node }) => node.name);

test('Apollo Client joins pages, and drops what was deleted', async () => {
  const client = openClient();
  const { productId } = service;
  const gallery = client.watchQuery({ query: GalleryDocument, variables: { productId, first: 2 } });
  const cached = () =>
    client.readQuery({ query: GalleryDocument, variables: { productId, first: 2 } }) ?? undefined;

  const { data } = await gallery.refetch();
  expect(namesIn(data)).toEqual(['a', 'b']);
  for (let end = data?.product.images.pageInfo; end?.hasNextPage; end = cached()?.product.images.pageInfo) {
    await gallery.fetchMore({ variables: { after: end.endCursor } });
  }
  expect(namesIn(cached())).toEqual(['a', 'b', 'c', 'd', 'e']);

  const [id = ''] = service.imageIds.slice(1);
  await client.mutate({
    mutation: DeleteImagesDocument,
    variables: { ids: [id] },
    update(cache, { data: answer }) {
      for (const deleted of answer?.deleteProductImages.deletedIds ?? []) {
        cache.evict({ id: cache.identify({ __typename: 'ProductImage', id: deleted }) });
      }
    },
  });
  expect(namesIn(cached())).toEqual(['a', 'c', 'd', 'e']);
  client.stop();
});
