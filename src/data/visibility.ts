import { type SQL, sql } from 'drizzle-orm';
import type { ImageFilter } from './image-filter.ts';

/** Which images a reader sees: all that are not deleted, or of these only what is ready to be shown. */
export type Visibility = 'LIVE' | 'READY';

/** For a statement on `images` under that name, or on it alone. */
export function isVisible(visibility: Visibility): SQL {
  return visibility === 'LIVE' ? sql`deleted_at is null` : sql`deleted_at is null and state = 'UPLOADED'`;
}

/** The filter that finds what matches and is visible; deleted images are for who sees all. */
export function narrowToVisible(filter: ImageFilter, visibility: Visibility): ImageFilter {
  if (visibility === 'LIVE') return filter;
  const isNothing = filter.deleted || (filter.states && !filter.states.includes('UPLOADED'));
  return { ...filter, deleted: false, states: isNothing ? [] : ['UPLOADED'] };
}
