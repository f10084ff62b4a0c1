import { and, isNotNull, isNull, type SQL, sql } from 'drizzle-orm';
import { formatArray } from './database.ts';
import { type ImageState, type ImageType, images } from './tables.ts';

/** What is left out or null does not narrow the list. */
export interface ImageFilter {
  productIds?: readonly string[] | null;
  types?: readonly ImageType[] | null;
  states?: readonly ImageState[] | null;
  /** True: only what is deleted and can still be restored. */
  deleted?: boolean | null;
}

/** What a statement's text depends on; the values are parameters. */
export interface FilterShape {
  productIds: boolean;
  types: boolean;
  states: boolean;
  deleted: boolean;
}

export function filterShape(filter: ImageFilter): FilterShape {
  return {
    productIds: Boolean(filter.productIds),
    types: Boolean(filter.types),
    states: Boolean(filter.states),
    deleted: Boolean(filter.deleted),
  };
}

export function filterCondition(shape: FilterShape): SQL | undefined {
  return and(
    lifeCondition(shape),
    shape.productIds ? sql`${images.productId} = any(${sql.placeholder('productIds')}::bigint[])` : undefined,
    shape.types ? sql`${images.type} = any(${sql.placeholder('types')}::image_type[])` : undefined,
    shape.states ? sql`${images.state} = any(${sql.placeholder('states')}::image_state[])` : undefined,
  );
}

export function lifeCondition({ deleted }: Pick<FilterShape, 'deleted'>): SQL | undefined {
  // With `restorable_until > now()` Postgres may take the index of the purge, which has all that is deleted.
  return deleted
    ? and(isNotNull(images.deletedAt), sql`greatest(${images.restorableUntil}, now()) > now()`)
    : isNull(images.deletedAt);
}

/** Each value once. */
export function filterParameters(filter: ImageFilter): Record<string, string> {
  const lists = { productIds: filter.productIds, types: filter.types, states: filter.states };
  return Object.fromEntries(
    Object.entries(lists).flatMap(([name, values]) =>
      values ? [[name, formatArray([...new Set(values)])]] : [],
    ),
  );
}
