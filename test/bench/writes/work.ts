/** One change, as a client sends it: the body of a request, and what a handler without GraphQL takes from it. */
export interface Job {
  query: string;
  operationName: Operation;
  variables: Variables;
}

export type Operation = 'replace' | 'create' | 'reorder' | 'deleteAll';

export interface Variables {
  productId: string;
  /** Of a replacement. */
  images?: { source: { url: string } }[];
  /** Of the image that is created. */
  url?: string;
  /** In the order wanted. */
  imageIds?: string[];
}

/** Each product begins with so many. */
export const imagesPerProduct = 30;

const imageFields = 'id name type state position isPrimary sourceUrl altText';

const documents: Record<Operation, string> = {
  replace: `mutation replace($productId: ID!, $images: [ReplaceProductImageInput!]!) {
  replaceProductImages(input: { productId: $productId, images: $images }) {
    product { id imagesVersion } images { ${imageFields} } added { id } kept { id } removed { id }
    userErrors { code path message }
  }
}`,
  create: `mutation create($productId: ID!, $url: URL!) {
  createProductImage(input: { productId: $productId, source: { url: $url } }) {
    image { ${imageFields} } userErrors { code path message }
  }
}`,
  reorder: `mutation reorder($productId: ID!, $imageIds: [ID!]!) {
  reorderProductImages(productId: $productId, imageIds: $imageIds) {
    product { id imagesVersion } images { ${imageFields} } userErrors { code path message }
  }
}`,
  deleteAll: `mutation deleteAll($productId: ID!) {
  deleteAllProductImages(productId: $productId) {
    deletedCount deletedIds userErrors { code path message }
  }
}`,
};

export interface Work {
  name: string;
  goal: string;
  /** In a round; on as many products where each has its own. */
  count: number;
  /** All on product 1, and none that would have nothing to do there. */
  canShare: boolean;
  jobOf(productId: number, index: number): Job;
}

export const works: Work[] = [
  {
    name: 'replace 30 by 30 others',
    goal: '≥ 0.8',
    count: 120,
    canShare: true,
    jobOf: (productId, index) => replace(productId, namesFrom(`new-${index}`, imagesPerProduct)),
  },
  {
    name: 'replace 10 of 30',
    goal: '≥ 0.8',
    count: 120,
    canShare: false,
    jobOf: (productId, index) =>
      replace(productId, [...namesFrom('first', 20), ...namesFrom(`new-${index}`, 10)]),
  },
  {
    name: 'replace 30 by themselves',
    goal: '≥ 0.8',
    count: 160,
    canShare: false,
    jobOf: productId => replace(productId, namesFrom('first', imagesPerProduct)),
  },
  {
    name: 'create one',
    goal: '',
    count: 200,
    canShare: true,
    jobOf: (productId, index) =>
      createJob('create', { productId: `${productId}`, url: urlOf(`one-${index}`) }),
  },
  {
    name: 'reorder 30',
    goal: '',
    count: 160,
    canShare: true,
    jobOf: (productId, index) =>
      createJob('reorder', { productId: `${productId}`, imageIds: shuffle(idsOf(productId), index) }),
  },
  {
    name: 'delete all 30',
    goal: '',
    count: 200,
    canShare: false,
    jobOf: productId => createJob('deleteAll', { productId: `${productId}` }),
  },
];

export function listJobs({ count, jobOf }: Work, isShared: boolean, isQuick: boolean): Job[] {
  const length = isQuick ? count / 4 : count;
  return Array.from({ length }, (_, index) => jobOf(isShared ? 1 : index + 1, index));
}

/** What each product begins with. */
export const firstUrls = namesFrom('first', imagesPerProduct).map(urlOf);

export function idsOf(productId: number): string[] {
  return firstUrls.map((_, index) => `${(productId - 1) * imagesPerProduct + index + 1}`);
}

function replace(productId: number, names: string[]): Job {
  const images = names.map(name => ({ source: { url: urlOf(name) } }));
  return createJob('replace', { productId: `${productId}`, images });
}

function createJob(operationName: Operation, variables: Variables): Job {
  return { query: documents[operationName], operationName, variables };
}

function namesFrom(start: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${start}-${index}`);
}

function urlOf(name: string): string {
  return `https://shop.example/pictures/${name}.jpg`;
}

/** Another order for each seed, by a linear congruential generator: a run must be like the others. */
function shuffle<Item>(items: readonly Item[], seed: number): Item[] {
  let state = seed + 1;
  const keyed = items.map(item => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return { item, key: state };
  });
  return keyed.sort((one, other) => one.key - other.key).map(({ item }) => item);
}
