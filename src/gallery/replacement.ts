import type { ImageColumn } from '../data/image-columns.ts';
import { contentKeys, type ImageValues } from '../data/image-writes.ts';
import type { ImageRow } from '../data/images.ts';
import { type ImageGroup, type ImageType, imageGroups } from '../data/tables.ts';
import { arrange, groupOfType, type Place } from './arrangement.ts';
import type { Entry } from './entries.ts';
import { differs, dueNow, isFrom, isResourced, newImage, withSource } from './image-values.ts';
import { checkRoom, type GalleryLimits } from './limits.ts';
import type { Problems } from './problems.ts';
import { canonicalUrl, sourceKey } from './source.ts';
import { noTexts } from './texts.ts';

/** What it takes to make a product's set the one asked for. */
export interface Replacement {
  added: ImageValues[];
  /** As they are then, but for what is written to those that are updated or resourced. */
  kept: ImageRow[];
  /** Those of the kept ones whose values differ, all but the source; `position` alone does not count. */
  updated: (ImageValues & { id: string })[];
  /** Those of the kept ones that come from elsewhere now, whatever else differs. */
  resourced: (ImageValues & { id: string })[];
  /** The others of the kept ones, where neighbours came or went before them. */
  placed: Pick<ImageRow, 'id' | 'orderKey' | 'position'>[];
  removed: ImageRow[];
}

interface Item {
  entry: Entry;
  image: ImageRow | null;
  type: ImageType;
  group: ImageGroup;
}

/** What of the images that a product has is looked at here, or written again. */
export const comparedColumns: readonly ImageColumn[] = [
  'imageGroup',
  'sourceUrl',
  'sourcePath',
  'fileHash',
  ...contentKeys,
];

/** Compares the set that a product has with the one asked for: by id, then by source URL or, where they are here, bytes. */
export function planReplacement(
  current: readonly ImageRow[],
  entries: readonly Entry[],
  limits: GalleryLimits,
  problems: Problems,
): Replacement {
  const matches = matchEntries(current, entries);
  const items = entries.map((entry, at) => createItem(entry, matches[at] ?? null));
  checkRepeatedSources(items, problems);
  checkSizes(items, limits, problems);
  const places = arrange(items, current);
  const dueAt = dueNow();
  const kept = new Set(matches);
  const removed = current.filter(row => !kept.has(row));
  const plan: Replacement = { added: [], kept: [], updated: [], resourced: [], placed: [], removed };
  for (const item of items) {
    const place = places.get(item) ?? nowhere;
    if (!isKept(item)) plan.added.push(createValues(item, place, dueAt));
    else if (staysAsIs(item, place)) plan.kept.push(item.image);
    else planKept(item.image, createValues(item, place, dueAt), plan);
  }
  return plan;
}

const nowhere: Place = { orderKey: '', position: 0 };

function planKept(image: ImageRow, values: ImageValues, plan: Replacement): void {
  const { id, orderKey } = image;
  const { position } = values;
  plan.kept.push({ ...image, position });
  if (differs(image, values)) {
    const rewritten = isResourced(image, values) ? plan.resourced : plan.updated;
    rewritten.push({ ...values, id });
  } else if (position !== image.position) plan.placed.push({ id, orderKey, position });
}

/** What each entry keeps, in their order; null where it is new. */
function matchEntries(current: readonly ImageRow[], entries: readonly Entry[]): (ImageRow | null)[] {
  const free = new Set(current);
  const matches: (ImageRow | null)[] = entries.map(() => null);
  const claim = (at: number, row: ImageRow | undefined) => {
    if (row && free.delete(row)) matches[at] = row;
  };
  if (entries.some(({ id }) => id)) {
    const byId = new Map(current.map(row => [row.id, row]));
    for (const [at, { id }] of entries.entries()) if (id) claim(at, byId.get(id));
  }
  // Most sets begin as they were. What comes first among the free is also what is found for it below.
  for (const [at, entry] of entries.entries()) {
    const row = current[at];
    if (row && row !== matches[at] && isFromSameGroup(row, entry)) claim(at, row);
    if (!row || row !== matches[at]) break;
  }
  if (free.size === 0) return matches;
  const bySource = groupBySource(free);
  // A picture may stand both in the gallery and among the frames: each entry takes one of its own group first.
  for (const sameGroup of [true, false]) {
    for (const [at, entry] of entries.entries()) {
      if (matches[at] || entry.id || !entry.source) continue;
      const group = groupOfEntry(entry);
      const candidates = bySource.get(sourceKey(entry.source));
      claim(
        at,
        candidates?.find(row => free.has(row) && (!sameGroup || row.imageGroup === group)),
      );
    }
  }
  return matches;
}

function isFromSameGroup(row: ImageRow, entry: Entry): boolean {
  return (
    !entry.id && entry.source !== null && row.imageGroup === groupOfEntry(entry) && isFrom(row, entry.source)
  );
}

/** By all that `sourceKey` may answer of where they are from. */
function groupBySource(rows: Iterable<ImageRow>): Map<string, ImageRow[]> {
  const bySource = new Map<string, ImageRow[]>();
  const offer = (key: string, row: ImageRow) => {
    const others = bySource.get(key);
    if (others) others.push(row);
    else bySource.set(key, [row]);
  };
  for (const row of rows) {
    if (row.sourceUrl !== null) offer(canonicalUrl(row.sourceUrl), row);
    if (row.fileHash !== null) offer(row.fileHash, row);
  }
  return bySource;
}

function createItem(entry: Entry, image: ImageRow | null): Item {
  const type = entry.type ?? typeOf(entry, image);
  return { entry, image, type, group: groupOfType[type] };
}

/** Where an image would stand that is new. */
function groupOfEntry(entry: Entry): ImageGroup {
  return groupOfType[entry.type ?? typeOf(entry, null)];
}

/** What an image is for where its entry does not say. */
function typeOf(entry: Entry, image: ImageRow | null): ImageType {
  if (entry.isFrame) return 'SPIN_360';
  return image && image.type !== 'SPIN_360' ? image.type : 'MORE_PHOTO';
}

function isKept(item: Item): item is Item & { image: ImageRow } {
  return item.image !== null;
}

/** A new image from a URL that another image of its group is from would show one picture twice. */
function checkRepeatedSources(items: readonly Item[], problems: Problems): void {
  const added = items.filter(item => !isKept(item));
  if (added.length === 0) return;
  const seen = { GALLERY: new Set<string>(), SPIN_360: new Set<string>(), SWATCH: new Set<string>() };
  for (const item of items.filter(isKept)) {
    const key = keyOf(item);
    if (key) seen[item.group].add(key);
  }
  for (const item of added) {
    const key = keyOf(item);
    if (!key) continue;
    if (seen[item.group].has(key)) tellRepeated(item.entry, problems);
    seen[item.group].add(key);
  }
}

function keyOf({ entry, image }: Item): string | null {
  if (entry.source) return sourceKey(entry.source);
  return image?.sourceUrl ? canonicalUrl(image.sourceUrl) : null;
}

function tellRepeated({ source, path }: Entry, problems: Problems): void {
  const message = source?.stored
    ? `file ${source.name} stands twice in the set, by its bytes; give each picture once`
    : `url ${source?.url} stands twice in the set; give each picture once`;
  problems.add('DUPLICATE_INPUT', [...path, 'source', ...(source?.stored ? [] : ['url'])], message);
}

function checkSizes(items: readonly Item[], limits: GalleryLimits, problems: Problems): void {
  for (const group of imageGroups) {
    const size = items.filter(item => item.group === group).length;
    checkRoom(group, size, ['input', group === 'SPIN_360' ? 'images360' : 'images'], limits, problems);
  }
}

/** What most images of a set are in most calls, told without a look at all that could differ. */
function staysAsIs({ entry, image, type }: Item & { image: ImageRow }, place: Place): boolean {
  return (
    image.type === type &&
    image.orderKey === place.orderKey &&
    image.position === place.position &&
    entry.texts === noTexts &&
    (entry.source === null || isFrom(image, entry.source))
  );
}

function createValues({ entry, image, type }: Item, { orderKey, position }: Place, dueAt: Date): ImageValues {
  const base: ImageValues = image ?? newImage();
  const sourced = entry.source ? withSource(base, entry.source, dueAt) : base;
  const told = entry.texts === noTexts ? sourced : { ...sourced, ...entry.texts };
  return { ...told, orderKey, position, type };
}
