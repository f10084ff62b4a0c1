import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  DeleteImagesDocument,
  type DeleteImagesMutation,
  GalleryDocument,
} from './__generated__/documents.ts';
import { type GalleryService, openGalleryService } from './gallery-service.ts';

let service: GalleryService;
beforeAll(async () => {
  service = await openGalleryService();
});
afterAll(() => service?.close());

function openClient(): Client {
  return new Client({
    url: service.endpoint,
    exchanges: [
      cacheExchange({
        resolvers: { Product: { images: relayPagination() } },
        updates: {
          Mutation: {
            deleteProductImages(
              { deleteProductImages: { deletedIds } }: DeleteImagesMutation,
              _arguments,
              cache,
            ) {
              for (const id of deletedIds) cache.invalidate({ __typename: 'ProductImage', id });
            },
          },
        },
      }),
      fetchExchange,
    ],
  });
}

test('urql joins pages, and drops what was deleted', async () => {
  const client = openClient();
  const { productId } = service;
  const read = async (after?: string | null) => {
    const { data, error } = await client.query(GalleryDocument, { productId, first: 2, after }).toPromise();
    if (!data) throw error ?? new Error('The gallery is not there');
    return data.product.images;
  };

  let images = await read();
  expect(images.edges.map(({ node }) => node.name)).toEqual(['a', 'b']);
  while (images.pageInfo.hasNextPage) images = await read(images.pageInfo.endCursor);
  expect(images.edges.map(({ node }) => node.name)).toEqual(['a', 'b', 'c', 'd', 'e']);

  const [id = ''] = service.imageIds.slice(1);
  await client.mutation(DeleteImagesDocument, { ids: [id] }).toPromise();
  const names = (await read()).edges.map(({ node }) => node.name);
  expect(names).not.toContain('b');
});
