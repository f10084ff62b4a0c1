import type { ImageColumn } from '../data/image-columns.ts';
import { contentKeys, type ImageValues } from '../data/image-writes.ts';
import type { ImageRow } from '../data/images.ts';
import { type ImageGroup, type ImageType, imageGroups } from '../data/tables.ts';
import { arrange, groupOfType, type Place } from './arrangement.ts';
import type { Entry } from './entries.ts';
import { differs, dueNow, isFrom, isResourced, newImage, withSource } from './image-values.ts';
import { checkRoom, type GalleryLimits } from './limits.ts';
import type { Problems } from './problems.ts';
import { createCanonicalUrl, sourceKey } from './source.ts';

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
  const canonical = createCanonicalUrl(entries.map(({ source }) => source));
  const matches = matchEntries(current, entries, canonical);
  const items = entries.map(entry => createItem(entry, matches.get(entry) ?? null));
  checkRepeatedSources(items, canonical, problems);
  checkSizes(items, limits, problems);
  const places = arrange(items, current);
  const dueAt = dueNow();
  const valuesOf = (item: Item): ImageValues => createValues(item, places.get(item), dueAt);
  const kept = items.filter(isKept).map(item => {
    const { image } = item;
    if (staysAsIs(item, places.get(item))) return { image, values: image, differs: false };
    const values = { ...valuesOf(item), id: image.id };
    return { image, values, differs: differs(image, values) };
  });
  const keptIds = new Set(kept.map(({ image }) => image.id));
  const rewritten = Map.groupBy(
    kept.filter(one => one.differs),
    ({ image, values }) => isResourced(image, values),
  );
  const asIs = kept.filter(one => !one.differs && one.values.position !== one.image.position);
  return {
    added: items.filter(item => !item.image).map(valuesOf),
    kept: kept.map(({ image, values }) =>
      values === image ? image : { ...image, position: values.position },
    ),
    updated: (rewritten.get(false) ?? []).map(({ values }) => values),
    resourced: (rewritten.get(true) ?? []).map(({ values }) => values),
    placed: asIs.map(({ image: { id, orderKey }, values: { position } }) => ({ id, orderKey, position })),
    removed: current.filter(row => !keptIds.has(row.id)),
  };
}

function matchEntries(
  current: readonly ImageRow[],
  entries: readonly Entry[],
  canonical: (url: string) => string,
): Map<Entry, ImageRow> {
  const free = new Map(current.map(row => [row.id, row]));
  const matches = new Map<Entry, ImageRow>();
  const claim = (entry: Entry, row: ImageRow | undefined) => {
    if (!row) return;
    matches.set(entry, row);
    free.delete(row.id);
  };
  for (const entry of entries) if (entry.id) claim(entry, free.get(entry.id));
  const bySource = new Map<string, ImageRow[]>();
  const offer = (key: string, row: ImageRow) => {
    const others = bySource.get(key);
    if (others) others.push(row);
    else bySource.set(key, [row]);
  };
  for (const row of free.values()) {
    if (row.sourceUrl !== null) offer(canonical(row.sourceUrl), row);
    if (row.fileHash !== null) offer(row.fileHash, row);
  }
  // A picture may stand both in the gallery and among the frames: each entry takes one of its own group first.
  for (const sameGroup of [true, false]) {
    for (const entry of entries) {
      if (free.size === 0) return matches;
      if (entry.id || !entry.source || matches.has(entry)) continue;
      const group = groupOfType[entry.type ?? typeOf(entry, null)];
      const candidates = bySource.get(sourceKey(entry.source));
      claim(
        entry,
        candidates?.find(row => free.has(row.id) && (!sameGroup || row.imageGroup === group)),
      );
    }
  }
  return matches;
}

function createItem(entry: Entry, image: ImageRow | null): Item {
  const type = entry.type ?? typeOf(entry, image);
  return { entry, image, type, group: groupOfType[type] };
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
function checkRepeatedSources(
  items: readonly Item[],
  canonical: (url: string) => string,
  problems: Problems,
): void {
  const added = items.filter(item => !item.image);
  if (added.length === 0) return;
  const keyOf = ({ entry, image, group }: Item) => {
    if (entry.source) return `${group} ${sourceKey(entry.source)}`;
    return image?.sourceUrl ? `${group} ${canonical(image.sourceUrl)}` : null;
  };
  const seen = new Set<string | null>(items.filter(isKept).map(keyOf));
  for (const item of added) {
    const key = keyOf(item);
    if (!key) continue;
    if (seen.has(key)) {
      const { source, path } = item.entry;
      const message = source?.stored
        ? `file ${source.name} stands twice in the set, by its bytes; give each picture once`
        : `url ${source?.url} stands twice in the set; give each picture once`;
      problems.add('DUPLICATE_INPUT', [...path, 'source', ...(source?.stored ? [] : ['url'])], message);
    }
    seen.add(key);
  }
}

function checkSizes(items: readonly Item[], limits: GalleryLimits, problems: Problems): void {
  for (const group of imageGroups) {
    const size = items.filter(item => item.group === group).length;
    checkRoom(group, size, ['input', group === 'SPIN_360' ? 'images360' : 'images'], limits, problems);
  }
}

/** What most images of a set are in most calls, told without a look at all that could differ. */
function staysAsIs({ entry, image, type }: Item & { image: ImageRow }, place: Place | undefined): boolean {
  return (
    image.type === type &&
    image.orderKey === place?.orderKey &&
    image.position === place.position &&
    Object.keys(entry.texts).length === 0 &&
    (entry.source === null || isFrom(image, entry.source))
  );
}

function createValues(
  { entry, image, type }: Item,
  place: Place = { orderKey: '', position: 0 },
  dueAt: Date,
): ImageValues {
  const base: ImageValues = image ?? newImage();
  const sourced = entry.source ? withSource(base, entry.source, dueAt) : base;
  return { ...sourced, ...entry.texts, ...place, type };
}
