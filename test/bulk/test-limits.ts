import type { GalleryLimits } from '../../src/gallery/limits.ts';

/** The limits that a service has unless it is told otherwise. */
export const testLimits: GalleryLimits = {
  maxImages: { GALLERY: 1_000, SPIN_360: 100, SWATCH: 100 },
  maxIdsInMutation: 250,
  maxTextLength: 512,
  maxDescriptionLength: 4_096,
  maxUrlLength: 2_048,
  maxNameLength: 255,
  retentionDays: 30,
};
