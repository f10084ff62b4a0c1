import type { ImageValues } from '../data/image-writes.ts';
import type { GalleryLimits } from './limits.ts';
import type { Path, Problems } from './problems.ts';
import { checkTexts, type TextsInput } from './texts.ts';

/** What may be said of an image besides its source, type and place: undefined leaves it, null clears it. */
export interface DetailsInput extends TextsInput {
  isThumbnail?: boolean | null | undefined;
  focalPoint?: { x: number; y: number } | null | undefined;
}

type Details = Partial<
  Pick<ImageValues, 'altText' | 'altTexts' | 'description' | 'isThumbnail' | 'focalX' | 'focalY'>
>;

/** The values that were given, checked; what is not given is not in the answer. */
export function checkDetails(
  input: DetailsInput,
  path: Path,
  limits: GalleryLimits,
  problems: Problems,
): Details {
  const { isThumbnail, focalPoint } = input;
  checkFocalPoint(focalPoint ?? null, [...path, 'focalPoint'], problems);
  return {
    ...checkTexts(input, path, limits, problems),
    ...(isThumbnail !== undefined && { isThumbnail: isThumbnail ?? false }),
    ...(focalPoint !== undefined && { focalX: focalPoint?.x ?? null, focalY: focalPoint?.y ?? null }),
  };
}

function checkFocalPoint(point: { x: number; y: number } | null, path: Path, problems: Problems): void {
  for (const [axis, value] of Object.entries(point ?? {})) {
    if (value >= 0 && value <= 1) continue;
    problems.add('INVALID', [...path, axis], `${axis} is ${value}; it must be from 0 to 1`);
  }
}

/** A position may lie beyond the end, which others may have moved meanwhile; it then means last. */
export function checkPosition(position: number | null | undefined, path: Path, problems: Problems): void {
  if (position == null || position >= 0) return;
  problems.add('INVALID', [...path, 'position'], `position is ${position}; it must be 0 or more`);
}
