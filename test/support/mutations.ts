import type { Problem } from './gallery.ts';
import type { TestService } from './service.ts';

export interface DeletedImage {
  id: string;
  productId: string;
  name: string;
  position: number;
  sourceUrl: string | null;
  deletedAt: string | null;
  restorableUntil: string | null;
}

export interface Deleted {
  deletedCount: number;
  deletedIds: string[];
  deletedImages: DeletedImage[];
  userErrors: Problem[];
}

const payload = `{
  deletedCount deletedIds
  deletedImages { id productId name position sourceUrl deletedAt restorableUntil }
  userErrors { code path message } }`;

const documents = {
  deleteProductImage: `mutation ($id: ID!, $productId: ID, $permanent: Boolean) {
    deleteProductImage(id: $id, productId: $productId, permanent: $permanent) ${payload} }`,
  deleteProductImages: `mutation ($ids: [ID!]!, $permanent: Boolean, $dryRun: Boolean) {
    deleteProductImages(ids: $ids, permanent: $permanent, dryRun: $dryRun) ${payload} }`,
  deleteAllProductImages: `mutation ($productId: ID!, $permanent: Boolean, $dryRun: Boolean) {
    deleteAllProductImages(productId: $productId, permanent: $permanent, dryRun: $dryRun) ${payload} }`,
};

async function remove(
  service: TestService,
  name: keyof typeof documents,
  variables: object,
): Promise<Deleted> {
  const data = await service.query<Record<string, Deleted>>(documents[name], variables);
  const deleted = data[name];
  if (!deleted) throw new Error(`${name} answered nothing`);
  return deleted;
}

interface OneImage {
  id: string | number;
  productId?: string | number;
  permanent?: boolean;
}

export function deleteOne(service: TestService, image: OneImage): Promise<Deleted> {
  return remove(service, 'deleteProductImage', image);
}

interface HowToDelete {
  permanent?: boolean;
  dryRun?: boolean;
}

export function deleteMany(
  service: TestService,
  ids: readonly string[],
  how: HowToDelete = {},
): Promise<Deleted> {
  return remove(service, 'deleteProductImages', { ids, ...how });
}

export function deleteAll(
  service: TestService,
  productId: string | number,
  how: HowToDelete = {},
): Promise<Deleted> {
  return remove(service, 'deleteAllProductImages', { productId, ...how });
}
