import type { Metadata, Sharp } from 'sharp';

/** To the colours that browsers show where nothing else is said. */
export function toSrgb(image: Sharp, { depth, hasProfile }: Pick<Metadata, 'depth' | 'hasProfile'>): Sharp {
  // sharp takes such originals to Display P3, and would leave them there.
  if (depth === 'ushort' && hasProfile) image.withIccProfile('srgb', { attach: false });
  return image.toColourspace('srgb');
}
