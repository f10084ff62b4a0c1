import type { ImageType } from '../data/tables.ts';
import type { GalleryLimits } from './limits.ts';
import type { Path, Problems } from './problems.ts';
import { checkSource, type Source, type SourceInput } from './source.ts';
import { checkTexts, type Texts, type TextsInput } from './texts.ts';

/** One image of the set that a product is to have: `id` to keep one, or `source`; with both it keeps its place and texts. */
export interface EntryInput extends TextsInput {
  id?: string | null | undefined;
  source?: SourceInput | null | undefined;
  type?: ImageType | null | undefined;
}

/** An entry whose form is right. */
export interface Entry {
  path: Path;
  id: string | null;
  source: Source | null;
  type: ImageType | null;
  isFrame: boolean;
  texts: Texts;
}

/** What `images` or `images360` asks for, in its order; what is malformed is told and left out. */
export function checkEntries(
  inputs: readonly EntryInput[],
  list: 'images' | 'images360',
  limits: GalleryLimits,
  problems: Problems,
): Entry[] {
  const isFrame = list === 'images360';
  const entries: Entry[] = [];
  for (const [index, input] of inputs.entries()) {
    const path = ['input', list, index];
    const entry: Entry = {
      path,
      id: input.id ?? null,
      source: input.source ? checkSource(input.source, path, limits, problems) : null,
      type: checkType(input.type ?? null, isFrame, path, problems),
      isFrame,
      texts: checkTexts(input, path, limits, problems),
    };
    if (!input.id && !input.source) {
      problems.add(
        'REQUIRED',
        path,
        'neither id nor source is given; name an image of the product, or give a source',
      );
    }
    const isMalformed = input.id != null && !problems.checkId(input.id, [...path, 'id']);
    if (!isMalformed && (entry.id || entry.source)) entries.push(entry);
  }
  return entries;
}

function checkType(
  type: ImageType | null,
  isFrame: boolean,
  path: Path,
  problems: Problems,
): ImageType | null {
  if (type === null || (type === 'SPIN_360') === isFrame) return type;
  const right = isFrame ? 'leave it out or give SPIN_360' : 'put frames of the 360° view into images360';
  problems.add('INVALID', [...path, 'type'], `type is ${type}; ${right}`);
  return null;
}
