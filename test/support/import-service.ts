import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Overrides } from '../../src/app.ts';
import { purge } from '../../src/gallery/purge.ts';
import { sweepOriginals } from '../../src/gallery/sweep.ts';
import type { Problem } from './gallery.ts';
import { type Answer, openTestService, type TestService } from './service.ts';

/** All that the API tells of how far an image has come. */
export interface ImportedImage {
  id: string;
  name: string;
  state: 'IMPORTED' | 'UPLOADED' | 'PENDING' | 'FAILED';
  failure: { code: string; message: string; attempts: number; retryAt: string | null } | null;
  url: string | null;
  sourceUrl: string | null;
  width: number | null;
  height: number | null;
  mimeType: string | null;
  fileSize: number | null;
  contentHash: string | null;
  thumbhash: string | null;
  dominantColor: string | null;
  altText: string | null;
  type: string;
  position: number;
}

export const importedFields = `id name state failure { code message attempts retryAt } url sourceUrl width height
  mimeType fileSize contentHash thumbhash dominantColor altText type position`;

/** A service that imports, from this machine alone: no test may name any other source. */
export function openImportService(
  environment: Record<string, string> = {},
  overrides: Overrides = {},
): Promise<TestService> {
  const settings = {
    IMPORTING: 'on',
    ALLOW_PRIVATE_SOURCES: 'on',
    DOWNLOAD_TIMEOUT_MS: '1000',
    ...environment,
  };
  return openTestService(settings, overrides);
}

/** The gallery, then the frames. */
export async function readSet(service: TestService, productId: string): Promise<ImportedImage[]> {
  const { product } = await service.query<{
    product: { images: { nodes: ImportedImage[] }; images360: ImportedImage[] };
  }>(
    `query ($id: ID!) { product(id: $id) {
      images(first: 250) { nodes { ${importedFields} } } images360 { ${importedFields} } } }`,
    { id: productId },
  );
  return [...product.images.nodes, ...product.images360];
}

export async function readImage(service: TestService, id: string): Promise<ImportedImage | null> {
  const data = await service.query<{ productImage: ImportedImage | null }>(
    `query ($id: ID!) { productImage(id: $id) { ${importedFields} } }`,
    { id },
  );
  return data.productImage;
}

const isSettled = ({ state }: ImportedImage) => state === 'UPLOADED' || state === 'FAILED';

/** Reads the set until every image is as wanted: done for good, unless told otherwise. */
export async function waitForSet(
  service: TestService,
  productId: string,
  isWanted: (image: ImportedImage) => boolean = isSettled,
  timeoutMs = 10_000,
): Promise<ImportedImage[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const images = await readSet(service, productId);
    if (images.every(isWanted)) return images;
    if (performance.now() > deadline) throw new Error(`not so in time: ${JSON.stringify(images)}`);
    await sleep(30);
  }
}

export async function retry(
  service: TestService,
  ids: readonly string[],
): Promise<{ product: { id: string } | null; images: ImportedImage[]; userErrors: Problem[] }> {
  const data = await service.query<{
    retryProductImages: Awaited<ReturnType<typeof retry>>;
  }>(
    `mutation ($ids: [ID!]!) { retryProductImages(ids: $ids) {
      product { id } images { ${importedFields} } userErrors { code path message } } }`,
    { ids },
  );
  return data.retryProductImages;
}

export interface UploadedPart {
  name: string;
  bytes: Uint8Array;
  /** Where in the variables it goes. */
  path: string;
}

export interface Uploaded {
  image: ImportedImage | null;
  images: ImportedImage[];
  added: ImportedImage[];
  kept: ImportedImage[];
  userErrors: Problem[];
}

/** Sends a mutation with files, as clients do that follow the GraphQL multipart request specification. */
export async function sendFiles<Data>(
  service: { url: string },
  query: string,
  variables: object,
  parts: readonly UploadedPart[],
): Promise<Answer<Data> & { status: number; retryAfter: string | null }> {
  const form = new FormData();
  form.set('operations', JSON.stringify({ query, variables }));
  form.set('map', JSON.stringify(Object.fromEntries(parts.map(({ path }, index) => [index, [path]]))));
  parts.forEach(({ name, bytes }, index) => {
    form.set(String(index), new Blob([Buffer.from(bytes)]), name);
  });
  return sendForm(service, form);
}

export async function sendForm<Data>(
  service: { url: string },
  body: BodyInit,
  headers: Record<string, string> = { 'graphql-require-preflight': '1' },
): Promise<Answer<Data> & { status: number; retryAfter: string | null }> {
  const response = await fetch(`${service.url}/graphql`, { method: 'POST', headers, body });
  const retryAfter = response.headers.get('retry-after');
  return { status: response.status, retryAfter, ...((await response.json()) as Answer<Data>) };
}

const payload = `userErrors { code path message }`;

/** Adds one image from a file. */
export async function upload(
  service: { url: string },
  productId: string,
  name: string,
  bytes: Uint8Array,
): Promise<Uploaded> {
  const { data, errors } = await sendFiles<{ createProductImage: Uploaded }>(
    service,
    `mutation ($input: CreateProductImageInput!) {
      createProductImage(input: $input) { image { ${importedFields} } ${payload} } }`,
    { input: { productId, source: { file: null } } },
    [{ name, bytes, path: 'variables.input.source.file' }],
  );
  if (errors) throw new Error(JSON.stringify(errors));
  return data.createProductImage;
}

/** Adds one image from the import directory. */
export async function takePath(service: TestService, productId: string, path: string): Promise<Uploaded> {
  const data = await service.query<{ createProductImage: Uploaded }>(
    `mutation ($input: CreateProductImageInput!) {
      createProductImage(input: $input) { image { ${importedFields} } ${payload} } }`,
    { input: { productId, source: { path } } },
  );
  return data.createProductImage;
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What an image's address serves. */
export async function fetchBytes(image: Pick<ImportedImage, 'url'>): Promise<Buffer> {
  const response = await fetch(image.url ?? '');
  if (!response.ok) throw new Error(`${image.url} answers ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

export async function listStored(service: TestService): Promise<string[]> {
  return (await Array.fromAsync(service.storage.list('originals/'))).map(({ key }) => key).sort();
}

/** Every image that says it is stored has bytes of its hash; after collection, stored are the files that rows name. */
export async function checkStored(service: TestService): Promise<void> {
  await purge(service.db, service.storage);
  await sweepOriginals(service.db, service.storage, new Date(Date.now() + 10_000));
  const keys = await listStored(service);
  for (const key of keys) {
    const stored = await service.storage.read(key);
    const bytes = Buffer.concat(stored ? await stored.body.toArray() : []);
    expect(key).toContain(`/${hashOf(bytes)}.`);
  }
  const stored = keys.map(key => /\/([0-9a-f]{64})\./.exec(key)?.[1]);
  const named = await service.db.execute<{ hash: string }>(
    `select encode(hash, 'hex') as hash from files order by 1`,
  );
  const shown = await service.db.execute<{ hash: string }>(
    `select distinct encode(file_hash, 'hex') as hash from images where file_hash is not null order by 1`,
  );
  expect(stored.sort()).toEqual(named.map(row => row.hash));
  expect(stored).toEqual(shown.map(row => row.hash));
}
