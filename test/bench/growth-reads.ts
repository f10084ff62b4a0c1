import { countImages } from '../../src/data/counts.ts';
import type { Database } from '../../src/data/database.ts';
import { findGalleryPages } from '../../src/data/galleries.ts';
import type { ImageFilter } from '../../src/data/image-filter.ts';
import { createImageCursor, type ImageOrder, imageOrders, listImages } from '../../src/data/image-list.ts';
import { findImagesByIds, findImagesEvenDeleted } from '../../src/data/images.ts';
import { formatCursor } from '../../src/graphql/cursors.ts';

/** The same read twice: as a document, and without GraphQL and HTTP. Each call may be of other rows. */
export interface Read {
  name: string;
  query(): string;
  run(): Promise<unknown>;
}

export const oneImageName = 'one image by id';
/** Of pages far inside; what is before it names the first page of the same list. */
export const deepEnding = ', deep';

const pageSize = 20;
const depth = 1_000_000;
const fields = 'id productId name type state position altText sourceUrl width height';

/** Filters as documents have them; the data functions take the same names. */
const filters: [name: string, filter: ImageFilter][] = [
  ['all', {}],
  ['100 products', { productIds: Array.from({ length: 100 }, (_, index) => String(11 * index + 1)) }],
  ['SPIN_360 (1 %)', { types: ['SPIN_360'] }],
  ['COLOR_SWATCH (100)', { types: ['COLOR_SWATCH'] }],
  ['UPLOADED', { states: ['UPLOADED'] }],
  ['FAILED (1 %)', { states: ['FAILED'] }],
  ['PENDING (100)', { states: ['PENDING'] }],
  ['deleted (5 %)', { deleted: true }],
  ['deleted, PENDING (100)', { deleted: true, states: ['PENDING'] }],
];

export async function createReads(db: Database, imageCount: number): Promise<Read[]> {
  const lists = await Promise.all(
    imageOrders.flatMap(order =>
      filters.flatMap(([name, filter]) =>
        [false, true].map(backward => createListReads(db, imageCount, { order, name, filter, backward })),
      ),
    ),
  );
  return [
    oneImage(db, imageCount),
    ...counts(db),
    manyProducts(db, 'of 1,000', 1_000),
    manyProducts(db, 'of all', imageCount / 8),
    ...lists.flat(),
  ];
}

const pick = (count: number) => String(1 + Math.floor(Math.random() * count));
const documentOf = (value: object) =>
  JSON.stringify(value)
    .replace(/"(\w+)":/g, '$1:')
    .replace(/"([A-Z]\w+)"/g, '$1');

function oneImage(db: Database, imageCount: number): Read {
  return {
    name: oneImageName,
    query: () => `{ productImage(id: ${pick(imageCount)}) { ${fields} } }`,
    run: () => findImagesByIds(db, [pick(imageCount)]),
  };
}

function counts(db: Database): Read[] {
  return filters.map(([name, filter]) => ({
    name: name === 'all' ? 'imageCount' : `imageCount of ${name}`,
    query: () => `{ imageCount(filter: ${documentOf(filter)}) }`,
    run: () => countImages(db, filter),
  }));
}

/** Of a large catalogue's products most are on the disk alone: that tells of the disk, not of the statement. */
function manyProducts(db: Database, title: string, productCount: number): Read {
  const ids = () => Array.from({ length: 100 }, () => pick(productCount));
  const page = { limit: 5, backward: false, after: null, before: null };
  return {
    name: `100 products × 5, ${title}`,
    query: () => `{ productsByIds(ids: [${ids()}]) { id images(first: 5) { nodes { ${fields} } } } }`,
    run: () =>
      findGalleryPages(
        db,
        'LIVE',
        ids().map(productId => ({ productId, group: 'GALLERY' as const, ...page })),
      ),
  };
}

interface ListOptions {
  order: ImageOrder;
  name: string;
  filter: ImageFilter;
  backward: boolean;
}

/** The first page, and the one a million images further on, or in the middle of a smaller catalogue. */
async function createListReads(db: Database, imageCount: number, options: ListOptions): Promise<Read[]> {
  const { order, name, filter, backward } = options;
  const skipped = Math.min(depth, imageCount / 2);
  // The later an image was changed, the higher its id.
  const fromStart = (order === 'UPDATED') === backward;
  const [row] = await findImagesEvenDeleted(db, [String(fromStart ? skipped : imageCount - skipped)]);
  if (!row) throw new Error('The catalogue is not as it was filled in');
  const cursor = createImageCursor(row, order);
  const title = `${order} ${backward ? 'backward' : 'forward'}, ${name}`;
  const size = `${backward ? 'last' : 'first'}: ${pageSize}`;
  const argument = `orderBy: ${order}, filter: ${documentOf(filter)}, ${size}`;
  const ask = (more: string) =>
    `{ productImages(${argument}${more}) { nodes { ${fields} } pageInfo { endCursor } } }`;
  const request = { limit: pageSize, backward, after: null, before: null };
  const side = backward ? 'before' : 'after';
  return [
    { name: title, query: () => ask(''), run: () => listImages(db, order, filter, [request]) },
    {
      name: title + deepEnding,
      query: () => ask(`, ${side}: "${formatCursor(row, order)}"`),
      run: () => listImages(db, order, filter, [{ ...request, [side]: cursor }]),
    },
  ];
}
