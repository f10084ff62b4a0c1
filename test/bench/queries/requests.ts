import { imagesPerProduct } from '../catalogue.ts';
import type { Contender } from './contenders.ts';
import { type OperationName, productsInGalleries } from './operations.ts';

/** Ids to ask for, in the same order of every contender. */
export interface Samples {
  imageIds: string[];
  /** A page begins behind the first image of each. */
  pageProductIds: string[];
  productIdSets: string[][];
}

export function drawSamples(imageCount: number, seed = 1): Samples {
  const draw = createDraw(seed);
  const productCount = imageCount / imagesPerProduct;
  const drawProduct = (count: number) => String(1 + draw(count));
  return {
    imageIds: Array.from({ length: 20_000 }, () => String(1 + draw(imageCount))),
    // Behind each there is a page that is full, and another image.
    pageProductIds: Array.from({ length: 5_000 }, () => drawProduct(productCount - 2)),
    productIdSets: Array.from({ length: 2_000 }, () => {
      const ids = new Set<string>();
      while (ids.size < productsInGalleries) ids.add(drawProduct(productCount));
      return [...ids];
    }),
  };
}

/** Whole numbers from 0, below a bound; Mulberry32 by Tommy Ettinger. */
function createDraw(seed: number): (bound: number) => number {
  let state = seed;
  return bound => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

/** The variables of each request, by operation. Cursors are each contender's own. */
export type Variables = Record<OperationName, object[]>;

export type PreparedContender = Contender & { variables: Variables };

export async function prepareVariables(contender: Contender, samples: Samples): Promise<Variables> {
  const cursors = await findCursors(contender, samples.pageProductIds);
  return {
    image: samples.imageIds.map(id => ({ id })),
    page: cursors.map(after => ({ after })),
    galleries: samples.productIdSets.map(ids => ({ ids })),
  };
}

async function findCursors(contender: Contender, productIds: readonly string[]): Promise<string[]> {
  const cursors: string[] = [];
  while (cursors.length < productIds.length) {
    const ids = productIds.slice(cursors.length, cursors.length + productsInGalleries);
    // Whom one id is given twice may answer once.
    const distinct = [...new Set(ids)];
    const { productsByIds = [] } = await ask(contender, 'cursors', { ids: distinct });
    const byId = new Map(distinct.map((id, place) => [id, productsByIds[place]?.images.pageInfo?.endCursor]));
    for (const id of ids) {
      const cursor = byId.get(id);
      if (!cursor) throw new Error(`${contender.title} has no cursor for product ${id}`);
      cursors.push(cursor);
    }
  }
  return cursors;
}

/** Fails unless the answer is 200 and without errors. */
export async function ask(
  { title, port, dialect }: Contender,
  name: OperationName | 'cursors',
  variables: object,
) {
  const response = await fetch(`http://127.0.0.1:${port}${dialect.path(name)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: dialect.documents[name], variables }),
  });
  const text = await response.text();
  const { data, errors } = JSON.parse(text);
  if (!response.ok || errors || !data) {
    throw new Error(`${title} answers ${name} with ${response.status}: ${text.slice(0, 500)}`);
  }
  return dialect.rename(data);
}
