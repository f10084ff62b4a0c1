import { setTimeout as sleep } from 'node:timers/promises';
import { hashOf, sendFiles } from '../support/import-service.ts';
import type { Service } from '../support/process.ts';
import type { SourceServer } from '../support/source-server.ts';
import { drawPicture } from '../support/stored-images.ts';

/** An uploaded image, as its service told of it. */
export interface Kept {
  id: string;
  hash: string;
  /** Signed, without the service's own. */
  paths: { original: string; small: string };
}

/** Clients that add and delete images, one change after the other each, until they are told to end. */
export interface Writing {
  /** Waits until so many changes more were acknowledged. */
  turns(count: number): Promise<void>;
  /** Uploaded and not deleted so far. */
  listLive(): Kept[];
  /** Deleted for good, or about to be. */
  purgedIds: Set<string>;
  end(): Promise<void>;
}

interface Payload {
  image: { id: string; contentHash: string; url: string; small: string } | null;
  userErrors: { message: string }[];
}

const create = `mutation ($input: CreateProductImageInput!) { changed: createProductImage(input: $input) {
  image { id contentHash url small: url(transform: { width: 20 }) } userErrors { message } } }`;
const remove = `mutation ($ids: [ID!]!, $permanent: Boolean) {
  changed: deleteProductImages(ids: $ids, permanent: $permanent) { userErrors { message } } }`;

const clientCount = 4;
let pictures = 0;

/** Uploads a picture that no other image has. */
export async function addPicture(service: Service, productId: string, given?: Buffer): Promise<Kept> {
  pictures += 1;
  const bytes = given ?? (await drawPicture(`#${pictures.toString(16).padStart(6, '0')}`));
  const variables = { input: { productId, source: { file: null } } };
  const part = { name: `${pictures}.png`, bytes, path: 'variables.input.source.file' };
  const { data, errors } = await sendFiles<{ changed: Payload }>(service, create, variables, [part]);
  if (errors) throw new Error(JSON.stringify(errors));
  const image = checkPayload(data.changed).image;
  if (image?.contentHash !== hashOf(bytes)) throw new Error(`the upload has become ${JSON.stringify(image)}`);
  const [original, small] = [new URL(image.url).pathname, new URL(image.small).pathname];
  return { id: image.id, hash: image.contentHash, paths: { original, small } };
}

export async function deleteForGood(service: Service, ids: readonly string[]): Promise<void> {
  await deleteImages(service, ids, true);
}

async function deleteImages(service: Service, ids: readonly string[], permanent: boolean): Promise<void> {
  const { changed } = await service.query<{ changed: Payload }>(remove, { ids, permanent });
  checkPayload(changed);
}

function checkPayload(payload: Payload): Payload {
  if (payload.userErrors.length > 0) throw new Error(JSON.stringify(payload.userErrors));
  return payload;
}

export async function keepWriting(service: Service, sources: SourceServer): Promise<Writing> {
  // All clients hand in this one as well, so that its bytes come and go with its last image.
  const shared = await drawPicture('#ffffff');
  const live = new Map<string, Kept>();
  const purgedIds = new Set<string>();
  const closing = new AbortController();
  let acknowledged = 0;
  let failure: unknown;

  async function addFromUrl(productId: string): Promise<void> {
    const path = `/${productId}-${acknowledged}.png`;
    sources.put(path, await drawPicture(`#ff${(acknowledged % 65_536).toString(16).padStart(4, '0')}`));
    const input = { productId, source: { url: sources.url(path) } };
    checkPayload((await service.query<{ changed: Payload }>(create, { input })).changed);
  }

  async function change(productId: string, turn: number, own: Kept[]): Promise<void> {
    const kind = turn % 7;
    if (kind === 1) await addFromUrl(productId);
    else if (kind === 4 || kind === 6) {
      const image = own.splice((turn * 7) % own.length, 1)[0];
      if (!image) return;
      live.delete(image.id);
      if (kind === 6) purgedIds.add(image.id);
      await deleteImages(service, [image.id], kind === 6);
    } else {
      const image = await addPicture(service, productId, kind === 3 ? shared : undefined);
      own.push(image);
      live.set(image.id, image);
    }
  }

  async function write(productId: string): Promise<void> {
    const own: Kept[] = [];
    for (let turn = 0; !closing.signal.aborted; turn++) {
      await change(productId, turn, own);
      acknowledged += 1;
    }
  }

  const clients = Array.from({ length: clientCount }, (_, n) => write(String(100 + n)));
  const ended = Promise.all(clients).catch(error => {
    failure = error;
    closing.abort();
  });
  return {
    async turns(count) {
      for (const wanted = acknowledged + count; acknowledged < wanted && !failure; ) await sleep(10);
      if (failure) throw failure;
    },
    listLive: () => [...live.values()],
    purgedIds,
    async end() {
      closing.abort();
      await ended;
      if (failure) throw failure;
    },
  };
}
