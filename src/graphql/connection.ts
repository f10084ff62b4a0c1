import type { ImageOrder } from '../data/image-list.ts';
import type { ImageRow } from '../data/images.ts';
import type { Page } from '../data/page.ts';
import { builder } from './builder.ts';
import { formatCursor } from './cursors.ts';
import { ProductImage } from './product-image.ts';

/** A page of images, in the terms of the Relay cursor connections specification. */
export interface ImageConnection {
  page: Page<ImageRow>;
  order: ImageOrder;
  /** Called only when the client asks. */
  count: () => Promise<number>;
}

interface ImageEdge {
  node: ImageRow;
  order: ImageOrder;
}

export const PageInfo = builder.objectRef<ImageConnection>('PageInfo').implement({
  description: 'Where a page stands in its list, as the Relay cursor connections specification has it.',
  // Every service with connections has one.
  extensions: { federation: { shareable: {} } },
  fields: t => ({
    hasNextPage: t.boolean({
      description: 'Whether more follow.',
      resolve: ({ page }) => page.hasNext,
    }),
    hasPreviousPage: t.boolean({
      description: 'Whether there are some before; on a page after a cursor, true.',
      resolve: ({ page }) => page.hasPrevious,
    }),
    startCursor: t.string({
      description: "The first edge's cursor; null on an empty page.",
      nullable: true,
      resolve: ({ page, order }) => cursorOf(page.rows[0], order),
    }),
    endCursor: t.string({
      description: "The last edge's cursor, to be given back as `after`; null on an empty page.",
      nullable: true,
      resolve: ({ page, order }) => cursorOf(page.rows.at(-1), order),
    }),
  }),
});

function cursorOf(row: ImageRow | undefined, order: ImageOrder): string | null {
  return row ? formatCursor(row, order) : null;
}

const ProductImageEdge = builder.objectRef<ImageEdge>('ProductImageEdge').implement({
  description: 'An image and where it stands in the list.',
  fields: t => ({
    cursor: t.string({
      description: 'Marks this place: `after` or `before` it a next page begins or ends.',
      resolve: ({ node, order }) => formatCursor(node, order),
    }),
    node: t.expose('node', { type: ProductImage, description: 'The image.' }),
  }),
});

export const ProductImageConnection = builder.objectRef<ImageConnection>('ProductImageConnection').implement({
  description: 'A page of images.',
  fields: t => ({
    edges: t.field({
      description: 'The images with their cursors.',
      type: [ProductImageEdge],
      resolve: ({ page, order }) => page.rows.map(node => ({ node, order })),
    }),
    nodes: t.field({
      description: 'The images, where cursors are not needed.',
      type: [ProductImage],
      resolve: ({ page }) => page.rows,
    }),
    pageInfo: t.field({
      description: 'Where this page stands in the list.',
      type: PageInfo,
      resolve: connection => connection,
    }),
    totalCount: t.int({
      description: 'How many images the whole list has. Counted only when asked for.',
      resolve: ({ count }) => count(),
    }),
  }),
});

type ArgumentBuilder = Parameters<Parameters<typeof builder.queryFields>[0]>[0];

/** The arguments of every paged list. */
export function pageArguments({ arg }: Pick<ArgumentBuilder, 'arg'>) {
  return {
    first: arg.int({ description: 'How many from the start, or after `after`; 50 unless given, 1 to 250.' }),
    after: arg.string({ description: 'A cursor: the page begins behind it.' }),
    last: arg.int({ description: 'How many from the end, or before `before`; 1 to 250. Not with `first`.' }),
    before: arg.string({ description: 'A cursor: the page ends in front of it.' }),
  };
}
