import { and, type SQL, sql } from 'drizzle-orm';
import type { Connection } from './database.ts';
import { type ColumnSet, columnsOfSet, everyColumn, imageColumns } from './image-columns.ts';
import {
  type FilterShape,
  filterCondition,
  filterParameters,
  filterShape,
  type ImageFilter,
} from './image-filter.ts';
import { type ImageRow, selectImages } from './images.ts';
import { createPage, type Page, type PageRequest } from './page.ts';
import { statementByShape } from './statement.ts';
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

/** A page of the images that match, at the cost of the rows that it shows, at any depth. */
export async function listImages(
  db: Connection,
  order: ImageOrder,
  filter: ImageFilter,
  request: PageRequest<ImageCursor>,
  columns: ColumnSet = everyColumn,
): Promise<Page<ImageRow>> {
  const shape: Shape = {
    columns: isNarrow(filter) ? everyColumn.key : columns.key,
    order,
    backward: request.backward,
    after: request.after !== null,
    before: request.before !== null,
    ...filterShape(filter),
  };
  const rows = await listStatement(db, shape, {
    limit: request.limit + 1,
    ...filterParameters(filter),
    ...cursorParameters('after', request.after),
    ...cursorParameters('before', request.before),
  });
  return createPage(request.backward ? rows.reverse() : rows, request);
}

/** Filters make statements of many shapes, which are not to be multiplied by the sets of columns. */
function isNarrow({ types, states, deleted }: ImageFilter): boolean {
  return Boolean(types || states || deleted);
}

const listStatement = statementByShape((db, shape: Shape) => {
  const { updatedAt } = imageColumns;
  const chosen = columnsOfSet(shape.columns);
  const { descending } = sortColumns[shape.order];
  const columns = liveSortColumns(shape);
  const downwards = descending !== shape.backward;
  return selectImages(db, shape.order === 'UPDATED' ? { ...chosen, updatedAt } : chosen)
    .where(
      and(
        filterCondition(shape),
        shape.after ? beyondCursor(columns, 'after', !descending) : undefined,
        shape.before ? beyondCursor(columns, 'before', descending) : undefined,
      ),
    )
    .orderBy(...columns.map(({ column }) => (downwards ? sql`${column} desc` : column)))
    .limit(sql.placeholder('limit'))
    .prepare('list_images');
});

function liveSortColumns({ order, deleted }: Shape): SortColumn[] {
  const { columns } = sortColumns[order];
  return order === 'GALLERY' && !deleted ? columns.slice(0, -1) : columns;
}

function beyondCursor(columns: SortColumn[], name: string, greater: boolean): SQL {
  const place = sql.join(
    columns.map(({ column }) => column),
    sql`, `,
  );
  const cursor = sql.join(
    columns.map(({ type }, index) => sql`${sql.placeholder(name + index)}::${sql.raw(type)}`),
    sql`, `,
  );
  return greater ? sql`(${place}) > (${cursor})` : sql`(${place}) < (${cursor})`;
}

function cursorParameters(name: string, cursor: ImageCursor | null): Record<string, string> {
  return Object.fromEntries((cursor ?? []).map((value, index) => [name + index, value]));
}
