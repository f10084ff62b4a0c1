import { BadInput } from '../errors.ts';
import { checkRange, checkTransform, type Recipe, type RecipeBounds, type Transform } from './recipe.ts';
import { fitInside, type OriginalPicture, resolveRecipe } from './resolve-recipe.ts';

/** From a phone's thumbnail to a large screen; where the original is narrower, its own width ends the list. */
export const defaultWidths: readonly number[] = [160, 320, 480, 640, 960, 1_280, 1_920, 2_560];
/** So that one field of a page of images does not name tens of thousands of renditions. */
export const maxWidths = 20;

/**
 * The renditions of an <img srcset>, narrowest first, each of another width; none wider than the original. A height
 * that is asked for beside a width is in proportion to it. The browser multiplies by itself, so `dpr` is not used.
 * @param widths null for the default ones
 * @throws {BadInput}
 */
export function resolveSrcset(
  widths: readonly number[] | null,
  transform: Transform,
  original: OriginalPicture,
  bounds: RecipeBounds,
): Recipe[] {
  checkSrcset(widths, transform, bounds);
  const { maxSide } = bounds;
  const recipes = (widths ?? defaultWidths.filter(width => width <= maxSide)).flatMap(width => {
    const size = scale(transform, width, maxSide);
    return resolveRecipe({ ...transform, ...size, dpr: 1 }, original, bounds) ?? [];
  });
  const byWidth = new Map(recipes.map(recipe => [recipe.width, recipe]));
  return [...byWidth.values()].sort((one, other) => one.width - other.width);
}

/** @throws {BadInput} for the first value that is out of bounds */
export function checkSrcset(
  widths: readonly number[] | null,
  transform: Transform,
  bounds: RecipeBounds,
): void {
  checkTransform(transform, bounds);
  if (!widths) return;
  if (widths.length < 1 || widths.length > maxWidths) {
    throw new BadInput(`widths has ${widths.length} entries; from 1 to ${maxWidths}`);
  }
  for (const [index, width] of widths.entries()) checkRange(`widths[${index}]`, width, 1, bounds.maxSide);
}

/** A height alone says no more than the original's shape does. */
function scale({ width, height }: Transform, newWidth: number, maxSide: number) {
  if (!width || !height) return { width: newWidth, height: null };
  const newHeight = Math.max(1, Math.round((height * newWidth) / width));
  return fitInside({ width: newWidth, height: newHeight }, { width: maxSide, height: maxSide });
}
