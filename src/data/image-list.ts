import { and, type SQL, sql } from 'drizzle-orm';
import { type Connection, formatArray } from './database.ts';
import { type ColumnSet, columnsOfSet, everyColumn, imageColumns } from './image-columns.ts';
import {
  type FilterShape,
  filterCondition,
  filterParameters,
  filterShape,
  type ImageFilter,
  lifeCondition,
} from './image-filter.ts';
import { type ImageRow, pickImages } from './images.ts';
import { countRead, createPage, type Page, type PageRequest } from './page.ts';
import { viewsByShape } from './statement.ts';
import { images } from './tables.ts';

export const imageOrders = ['GALLERY', 'ID', 'UPDATED'] as const;
export type ImageOrder = (typeof imageOrders)[number];

/** Where an image stands in an order: the texts of its sort columns. */
export type ImageCursor = readonly string[];

interface SortColumn {
  column: SQL;
  type: string;
  read: (row: ImageRow) => string;
}

const byProduct: SortColumn = {
  column: sql`${images.productId}`,
  type: 'bigint',
  read: row => row.productId,
};
const byGroup: SortColumn = {
  column: sql`${images.imageGroup}`,
  type: 'image_group',
  read: row => row.imageGroup,
};
const byOrderKey: SortColumn = { column: sql`${images.orderKey}`, type: 'text', read: row => row.orderKey };
const byUpdate: SortColumn = {
  column: sql`${images.updatedAt}`,
  type: 'timestamptz',
  read: row => row.updatedAt.toISOString(),
};
const byId: SortColumn = { column: sql`${images.id}`, type: 'bigint', read: row => row.id };

/** The last column of each decides only among deleted images: those may share an order key. */
const sortColumns: Record<ImageOrder, { columns: SortColumn[]; descending: boolean }> = {
  GALLERY: { columns: [byProduct, byGroup, byOrderKey, byId], descending: false },
  ID: { columns: [byId], descending: false },
  UPDATED: { columns: [byUpdate, byId], descending: true },
};

export function createImageCursor(row: ImageRow, order: ImageOrder): ImageCursor {
  return sortColumns[order].columns.map(sort => sort.read(row));
}

/** What the statement's text depends on; everything else is a parameter. */
interface Shape extends FilterShape {
  columns: number;
  order: ImageOrder;
  backward: boolean;
  after: boolean;
  before: boolean;
}

/**
 * Pages of the images that match, all in one statement, at the cost of the rows that they show, at any depth; in the
 * order of the requests, which are alike: they have the same direction, and cursors on the same sides.
 * @param looksAhead whether pages say that there are more
 */
export async function listImages(
  db: Connection,
  order: ImageOrder,
  filter: ImageFilter,
  requests: readonly PageRequest<ImageCursor>[],
  columns: ColumnSet = everyColumn,
  looksAhead = true,
): Promise<Page<ImageRow>[]> {
  const [first] = requests;
  if (!first) return [];
  const shape: Shape = {
    columns: isNarrow(filter) ? everyColumn.key : columns.key,
    order,
    backward: first.backward,
    after: first.after !== null,
    before: first.before !== null,
    ...filterShape(filter),
  };
  const rows = await listStatement(db, shape, {
    limits: formatArray(requests.map(({ limit }) => countRead(limit, looksAhead))),
    ...filterParameters(filter),
    ...cursorParameters(shape, requests),
  });
  const found: ImageRow[][] = requests.map(() => []);
  for (const row of rows) found[row.place - 1]?.push(row);
  return requests.map((request, index) => createPage(found[index] ?? [], request));
}

/** Filters make statements of many shapes, which are not to be multiplied by the sets of columns. */
function isNarrow({ types, states, deleted }: ImageFilter): boolean {
  return Boolean(types || states || deleted);
}

const listStatement = viewsByShape((db, shape: Shape) => {
  const chosen = columnsOfSet(shape.columns);
  const columns = shape.order === 'UPDATED' ? { ...chosen, updatedAt: imageColumns.updatedAt } : chosen;
  // The rows of a page come as a nested loop reads them; sorted by more, each would be copied for that.
  return db
    .select({ ...columns, place: sql<number>`asked.place::int` })
    .from(askedPages(shape))
    .crossJoinLateral(pickImages(pickRows(shape)))
    .orderBy(sql`asked.place`)
    .prepare('list_images');
});

/** A row for each page: how many rows it has at the most, and the parts of its cursors. */
function askedPages(shape: Shape): SQL {
  const cursors = cursorColumns(shape);
  const lists = [
    sql`${sql.placeholder('limits')}::int[]`,
    ...cursors.map(({ name, type }) => sql`${sql.placeholder(name)}::${sql.raw(type)}[]`),
  ];
  const names = ['row_limit', ...cursors.map(({ name }) => name), 'place'];
  return sql`unnest(${sql.join(lists, sql`, `)}) with ordinality as asked (${sql.raw(names.join(', '))})`;
}

interface CursorColumn {
  name: string;
  type: string;
  side: 'after' | 'before';
  /** Which part of a cursor it is. */
  part: number;
}

function cursorColumns(shape: Shape): CursorColumn[] {
  const sides = (['after', 'before'] as const).filter(side => shape[side]);
  return sides.flatMap(side =>
    liveSortColumns(shape).map(({ type }, part) => ({ name: side + part, type, side, part })),
  );
}

/**
 * The rows of a page. How they are found is not left to Postgres, which may read on in the list's order for rows that
 * match until the page is full: where few match, that is all that there are.
 */
function pickRows(shape: Shape): SQL {
  if (shape.productIds) return pickOfProducts(shape);
  if (shape.types || shape.states || shape.deleted) {
    return pickFirst(shape, sql`(${pickOfKinds(shape)}) images`);
  }
  return pickFirst(shape, sql`images`, and(filterCondition(shape), ...boundsOf(shape)));
}

/**
 * As if there were a list for each type and state: a page of each, in which all rows match. The two are bounds and part
 * of the order, which only the indexes of kinds have; else Postgres may read on in the order of another.
 */
function pickOfKinds(shape: Shape): SQL {
  const types = shape.types
    ? sql`${sql.placeholder('types')}::image_type[]`
    : sql`enum_range(null::image_type)`;
  const states = shape.states
    ? sql`${sql.placeholder('states')}::image_state[]`
    : sql`enum_range(null::image_state)`;
  const inKind = and(lifeCondition(shape), ...boundsOf(shape, ofKind));
  return sql`select of_kind.* from unnest(${types}) asked_type cross join unnest(${states}) asked_state
    cross join lateral (${pickFirst(shape, sql`images`, inKind, ofKind)}) of_kind`;
}

/** The products' images are in the gallery's order by themselves; for another, all of them are looked at. */
function pickOfProducts(shape: Shape): SQL {
  const condition = and(filterCondition(shape), ...boundsOf(shape));
  if (shape.order === 'GALLERY') return pickFirst(shape, sql`images`, condition);
  // Without `offset` Postgres may read on in the list's order.
  return pickFirst(shape, sql`(select * from images where ${condition} offset 0) images`);
}

function pickFirst(shape: Shape, from: SQL, condition: SQL = sql`true`, prefix = nothing): SQL {
  const order = orderOf(shape, prefix.columns);
  return sql`select * from ${from} where ${condition}
    order by ${sql.join(order, sql`, `)} limit asked.row_limit`;
}

/** Columns before those of the list's order, and what they all are. */
interface Prefix {
  columns: SQL[];
  values: SQL[];
}

const nothing: Prefix = { columns: [], values: [] };
const ofKind: Prefix = {
  columns: [sql`${images.type}`, sql`${images.state}`],
  values: [sql`asked_type`, sql`asked_state`],
};

function orderOf(shape: Shape, before: SQL[] = []): SQL[] {
  const downwards = sortColumns[shape.order].descending !== shape.backward;
  const columns = [...before, ...liveSortColumns(shape).map(({ column }) => column)];
  return columns.map(column => (downwards ? sql`${column} desc` : column));
}

/** From the cursors, or else from where the prefix begins to where it ends. */
function boundsOf(shape: Shape, prefix = nothing): (SQL | undefined)[] {
  const { descending } = sortColumns[shape.order];
  const [low, high] = descending ? (['before', 'after'] as const) : (['after', 'before'] as const);
  return [
    shape[low] ? compare(shape, prefix, '>', low) : compare(shape, prefix, '>=', null),
    shape[high] ? compare(shape, prefix, '<', high) : compare(shape, prefix, '<=', null),
  ];
}

function compare(shape: Shape, prefix: Prefix, operator: string, cursor: string | null): SQL | undefined {
  const sorts = cursor === null ? [] : liveSortColumns(shape);
  const columns = [...prefix.columns, ...sorts.map(({ column }) => column)];
  const place = sorts.map((_sort, part) => sql.raw(`asked.${cursor}${part}`));
  if (columns.length === 0) return undefined;
  const list = (parts: SQL[]) => sql.join(parts, sql`, `);
  return sql`(${list(columns)}) ${sql.raw(operator)} (${list([...prefix.values, ...place])})`;
}

function liveSortColumns({ order, deleted }: Shape): SortColumn[] {
  const { columns } = sortColumns[order];
  return order === 'GALLERY' && !deleted ? columns.slice(0, -1) : columns;
}

function cursorParameters(
  shape: Shape,
  requests: readonly PageRequest<ImageCursor>[],
): Record<string, string> {
  const lists = cursorColumns(shape).map(({ name, side, part }) => [
    name,
    formatArray(requests.map(request => request[side]?.[part] ?? null)),
  ]);
  return Object.fromEntries(lists);
}
