import { getTableColumns, sql } from 'drizzle-orm';
import { images } from './tables.ts';

/** All that the API tells of an image. */
export const imageColumns = getTableColumns(images);

/**
 * `sourceUntilImported`: `sourceUrl`, of images alone that are to be shown from there. Rows of the others have null there,
 * and none needs its `state` to tell.
 */
export type ImageColumn = keyof typeof imageColumns | 'sourceUntilImported';

const sourceUntilImported = sql`
  case when ${images.fileHash} is null and ${images.state} <> 'FAILED' then ${images.sourceUrl} end`;

/** Which columns a read answers; its rows lack the others, whatever their type says. Equal sets are one object. */
export interface ColumnSet {
  /** Names it in the shape of a statement. */
  readonly key: number;
  readonly names: ReadonlySet<ImageColumn>;
  /** What Drizzle is to select. */
  readonly columns: typeof imageColumns;
}

export const everyColumn = createSet(0, Object.keys(imageColumns) as ImageColumn[]);

/** What tells an image from a product, and from others. */
const always: readonly ImageColumn[] = ['id', 'productId'];

/** Each set makes statements of its own, which Postgres keeps for each connection; whoever asks may think up many. */
const maxAsked = 16;
const sets: ColumnSet[] = [everyColumn];
const asked: ColumnSet[] = [everyColumn];

/** The set of these columns, or, when there are many already, the least that has them. */
export function findColumnSet(names: Iterable<ImageColumn>): ColumnSet {
  const wanted = wantColumns(names);
  const [least = everyColumn] = asked
    .filter(set => [...wanted].every(name => hasColumn(set, name)))
    .sort((one, other) => one.names.size - other.names.size);
  if (least.names.size === wanted.size || asked.length >= maxAsked) return least;
  const found = findEqual(wanted);
  asked.push(found);
  return found;
}

const widened = new Map<string, ColumnSet>();

/** A set with other columns besides; as the code says which these are, those that it makes count for nothing. */
export function widenColumnSet(set: ColumnSet, names: readonly ImageColumn[]): ColumnSet {
  const key = `${set.key} ${names.join()}`;
  const known = widened.get(key);
  if (known) return known;
  const wanted = wantColumns([...set.names, ...names]);
  const found = findEqual(wanted);
  widened.set(key, found);
  return found;
}

/** To be widened. */
export const leastColumns = findEqual(wantColumns([]));

function wantColumns(names: Iterable<ImageColumn>): Set<ImageColumn> {
  const wanted = new Set([...always, ...names]);
  if (wanted.has('sourceUrl') && wanted.delete('sourceUntilImported')) wanted.add('state');
  return wanted;
}

function findEqual(wanted: ReadonlySet<ImageColumn>): ColumnSet {
  const known = sets.find(({ names }) => names.symmetricDifference(wanted).size === 0);
  if (known) return known;
  const added = createSet(sets.length, wanted);
  sets.push(added);
  return added;
}

function hasColumn({ names }: ColumnSet, name: ImageColumn): boolean {
  const isWhole = name === 'sourceUntilImported' && names.has('sourceUrl') && names.has('state');
  return isWhole || names.has(name);
}

export function columnsOfSet(key: number): typeof imageColumns {
  return (sets[key] ?? everyColumn).columns;
}

function createSet(key: number, names: Iterable<ImageColumn>): ColumnSet {
  const known = new Set(names);
  const chosen = Object.entries(imageColumns).filter(([name]) => known.has(name as ImageColumn));
  const columns: Record<string, unknown> = Object.fromEntries(chosen);
  if (known.has('sourceUntilImported')) columns.sourceUrl = sourceUntilImported;
  return { key, names: known, columns: columns as typeof imageColumns };
}
