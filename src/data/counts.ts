import { and, count, eq, isNotNull, type SQL, sql } from 'drizzle-orm';
import { type Connection, formatArray } from './database.ts';
import {
  type FilterShape,
  filterCondition,
  filterParameters,
  filterShape,
  type ImageFilter,
} from './image-filter.ts';
import { type ShapedStatement, statementByShape } from './statement.ts';
import { imageCounts, images } from './tables.ts';
import { isVisible, type Visibility } from './visibility.ts';

/**
 * How many images match, exactly. Store-wide it adds up the kept counts, whose number does not grow with the
 * store; of named products it counts their rows.
 */
export async function countImages(db: Connection, filter: ImageFilter): Promise<number> {
  if (filter.productIds) return countWith(matchingImages, db, filter);
  const kept = await countWith(keptCounts, db, filter);
  return filter.deleted ? kept - (await countWith(overdueImages, db, filter)) : kept;
}

async function countWith(
  counting: ShapedStatement<FilterShape, { count: number }>,
  db: Connection,
  filter: ImageFilter,
): Promise<number> {
  const shape = filterShape(filter);
  const [row] = await counting(db, shape, { deleted: shape.deleted, ...filterParameters(filter) });
  return row?.count ?? 0;
}

const matchingImages = statementByShape((db, shape: FilterShape) =>
  db.select({ count: count() }).from(images).where(filterCondition(shape)).prepare('count_images'),
);

const keptCounts = statementByShape((db, shape: FilterShape) =>
  db
    .select({ count: sql`coalesce(sum(${imageCounts.count}), 0)`.mapWith(Number) })
    .from(imageCounts)
    .where(
      and(
        eq(imageCounts.deleted, sql.placeholder('deleted')),
        keyCondition(shape, imageCounts.type, imageCounts.state),
      ),
    )
    .prepare('sum_image_counts'),
);

/** Deleted, no longer restorable, not purged yet: few, since the purge runs often. */
const overdueImages = statementByShape((db, shape: FilterShape) =>
  db
    .select({ count: count() })
    .from(images)
    .where(
      and(
        isNotNull(images.deletedAt),
        sql`${images.restorableUntil} <= now()`,
        keyCondition(shape, images.type, images.state),
      ),
    )
    .prepare('count_overdue_images'),
);

type TypeColumn = typeof imageCounts.type | typeof images.type;
type StateColumn = typeof imageCounts.state | typeof images.state;

function keyCondition(shape: FilterShape, type: TypeColumn, state: StateColumn): SQL | undefined {
  return and(
    shape.types ? sql`${type} = any(${sql.placeholder('types')}::image_type[])` : undefined,
    shape.states ? sql`${state} = any(${sql.placeholder('states')}::image_state[])` : undefined,
  );
}

const countsByProduct = statementByShape((db, { visibility }: { visibility: Visibility }) =>
  db
    .select({ productId: images.productId, count: count() })
    .from(images)
    .where(
      and(sql`${images.productId} = any(${sql.placeholder('productIds')}::bigint[])`, isVisible(visibility)),
    )
    .groupBy(images.productId)
    .prepare('count_images_by_product'),
);

/** Images of every group; a product without any is not in the map. */
export async function countImagesByProductIds(
  db: Connection,
  visibility: Visibility,
  productIds: readonly string[],
): Promise<Map<string, number>> {
  if (productIds.length === 0) return new Map();
  const rows = await countsByProduct(db, { visibility }, { productIds: formatArray(productIds) });
  return new Map(rows.map(row => [row.productId, row.count]));
}
