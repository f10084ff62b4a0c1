import type { ImageGroup } from '../data/tables.ts';

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
