import type { ImageGroup } from '../data/tables.ts';
import type { Path, Problems } from './problems.ts';

/** How much one product, one call and one text may hold. */
export interface GalleryLimits {
  maxImages: Record<ImageGroup, number>;
  maxIdsInMutation: number;
  maxTextLength: number;
  maxDescriptionLength: number;
  maxUrlLength: number;
  maxNameLength: number;
  retentionDays: number;
}

const groupNames: Record<ImageGroup, string> = {
  GALLERY: 'gallery images',
  SPIN_360: '360° frames',
  SWATCH: 'colour swatches',
};

/** Whether a group of a product may be as large as it would become. */
export function checkRoom(
  group: ImageGroup,
  size: number,
  path: Path,
  { maxImages }: GalleryLimits,
  problems: Problems,
): void {
  if (size <= maxImages[group]) return;
  const message = `the product would have ${size} ${groupNames[group]}; at most ${maxImages[group]}`;
  problems.add('IMAGE_LIMIT_EXCEEDED', path, message);
}

/** Refuses a batch that is too large before anything is looked up. */
export function checkBatch(ids: readonly string[], path: Path, most: number, problems: Problems): void {
  if (ids.length <= most) return;
  problems.add('BATCH_LIMIT_EXCEEDED', path, `${ids.length} ids are given; at most ${most} in one call`);
  problems.throwIfAny();
}
