import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import type { Service } from './process.ts';
import type { SourceServer } from './source-server.ts';

/** What was done so far, by what it was. */
export type Done = Record<string, number>;

export interface MixedLoad {
  done: Done;
  /** Fails where anything failed. */
  stop(): Promise<void>;
}

type Action = (turn: number) => Promise<void>;

const productCount = 40;

/**
 * Asks a service for all that it does, each kind one after the other with a pause, until it is stopped. What is asked
 * differs from turn to turn: a second load must begin with turns that the first did not reach.
 */
export function startMixedLoad(
  service: Service,
  sources: SourceServer,
  pauseMs: number,
  firstTurn = 0,
): MixedLoad {
  const stopping = new AbortController();
  const done: Done = {};
  const actions: Record<string, Action> = {
    queries: turn => query(service, turn),
    changes: turn => changeSet(service, turn),
    uploads: turn => upload(service, turn),
    imports: turn => importImages(service, sources, turn),
    renditions: turn => render(service, turn),
    subscriptions: turn => subscribe(service, turn),
  };
  const repeat = async (name: string, act: Action) => {
    for (let turn = firstTurn; !stopping.signal.aborted; turn += 1) {
      await act(turn);
      done[name] = turn + 1 - firstTurn;
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const ended = Promise.allSettled(Object.entries(actions).map(([name, act]) => repeat(name, act)));
  return {
    done,
    async stop() {
      stopping.abort();
      const failed = (await ended).find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
    },
  };
}

/** Each document is a new one, and large: what keeps documents is soon as full as it may be. */
async function query(service: Service, turn: number): Promise<void> {
  const fields = Array.from({ length: 40 }, (_, index) => `f${turn}_${index}: id n${turn}_${index}: name`);
  await service.query(
    `query q${turn}($ids: [ID!]!) { productsByIds(ids: $ids) { imagesVersion images(first: 5) { nodes { ${fields.join(' ')} } } } }`,
    { ids: Array.from({ length: 10 }, (_, index) => String(((turn + index) % productCount) + 1)) },
  );
}

/** A set that is replaced, deleted, brought back, and purged. */
async function changeSet(service: Service, turn: number): Promise<void> {
  const productId = String((turn % productCount) + 1);
  const images = Array.from({ length: 30 }, (_, index) => ({
    source: { url: `https://shop.example/${turn}-${index}.jpg` },
  }));
  const replace = `mutation ($productId: ID!, $images: [ReplaceProductImageInput!]!) {
    replaceProductImages(input: { productId: $productId, images: $images }) { images { id } userErrors { message } } }`;
  const { replaceProductImages } = await service.query<{
    replaceProductImages: { images: { id: string }[] };
  }>(replace, { productId, images });
  const ids = replaceProductImages.images.slice(0, 10).map(image => image.id);
  await service.query(
    `mutation ($ids: [ID!]!) {
      deleteProductImages(ids: $ids) { deletedCount userErrors { message } }
      restoreProductImages(ids: $ids) { userErrors { message } }
    }`,
    { ids },
  );
  await service.query(
    'mutation ($id: ID!) { deleteAllProductImages(productId: $id, permanent: true) { deletedCount } }',
    { id: productId },
  );
}

/** On products of their own, which are emptied now and then. */
async function upload(service: Service, turn: number): Promise<void> {
  const productId = String(productCount + 1 + (turn % 5));
  if (turn % 50 >= 45) {
    await service.query(
      'mutation ($id: ID!) { deleteAllProductImages(productId: $id, permanent: true) { deletedCount } }',
      { id: productId },
    );
    return;
  }
  const form = new FormData();
  const document = `mutation ($id: ID!, $file: File!) {
    createProductImage(input: { productId: $id, source: { file: $file } }) { image { id } userErrors { message } } }`;
  form.set('operations', JSON.stringify({ query: document, variables: { id: productId, file: null } }));
  form.set('map', '{"0": ["variables.file"]}');
  form.set('0', new Blob([new Uint8Array(await drawPicture(turn))]), 'picture.jpg');
  const headers = { 'graphql-require-preflight': '1' };
  const response = await fetch(`${service.url}/graphql`, { method: 'POST', headers, body: form });
  const text = await response.text();
  if (!text.includes('"userErrors":[]')) throw new Error(`The upload is answered with ${text}`);
}

/** Some of which are there and some not. */
async function importImages(service: Service, sources: SourceServer, turn: number): Promise<void> {
  sources.put('/there.jpg', await drawPicture(turn % 20));
  const images = Array.from({ length: 4 }, (_, index) => ({
    source: { url: sources.url(index === 3 ? `/missing-${turn}.jpg` : `/there.jpg?${turn}-${index}`) },
  }));
  await service.query(
    `mutation ($id: ID!, $images: [ReplaceProductImageInput!]!) {
      replaceProductImages(input: { productId: $id, images: $images }) { userErrors { message } } }`,
    { id: String(productCount + 10 + (turn % 10)), images },
  );
}

/** Of images that were uploaded, each in another size. */
async function render(service: Service, turn: number): Promise<void> {
  const { product } = await service.query<{ product: { images: { nodes: { url: string | null }[] } } }>(
    `query ($id: ID!, $width: Int!) {
      product(id: $id) { images(first: 3) { nodes { url(transform: { width: $width }) } } } }`,
    { id: String(productCount + 1 + (turn % 5)), width: 20 + (turn % 180) },
  );
  for (const { url } of product.images.nodes) {
    // It may have been deleted since.
    if (url) await (await fetch(url)).bytes();
  }
}

/** Comes, is told once, and leaves without a word. */
async function subscribe(service: Service, turn: number): Promise<void> {
  const leaving = new AbortController();
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      query:
        'subscription ($id: ID!) { productImagesChanged(productId: $id) { product { imagesVersion images { nodes { id } } } } }',
      variables: { id: String((turn % productCount) + 1) },
    }),
    signal: leaving.signal,
  });
  const reader = response.body?.getReader();
  await reader?.read();
  leaving.abort();
}

function drawPicture(turn: number): Promise<Buffer> {
  const background = { r: turn % 256, g: (turn >> 8) % 256, b: 90 };
  return sharp({ create: { width: 240, height: 180, channels: 3, background } })
    .jpeg()
    .toBuffer();
}
