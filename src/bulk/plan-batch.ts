import type { BulkMember, BulkRow } from '../data/bulk-images.ts';
import type { ImageGroup } from '../data/tables.ts';
import { type UserError, UserErrors } from '../errors.ts';
import { checkRoom, type GalleryLimits } from '../gallery/limits.ts';
import { appendOrderKeys, assignOrderKeys } from '../gallery/order-keys.ts';
import { Problems } from '../gallery/problems.ts';
import { hashKey, pathKey, urlKey, type Wanted } from './check-entry.ts';

/** A line's image that was not taken, and why. */
export interface Refusal {
  line: number;
  raw: string;
  problems: readonly UserError[];
}

/** What a batch does to the products that it names. */
export interface Plan {
  rows: BulkRow[];
  added: Wanted[];
  /** Images that get other order keys for them. */
  rekeyed: OrderedMember[];
  alreadyThere: number;
  refused: Refusal[];
  /** Products where others move down. */
  shiftedProductIds: Set<string>;
  /** Products whose thumbnail is among the rows. */
  thumbnailProductIds: Set<string>;
}

type OrderedMember = Pick<BulkMember, 'id' | 'orderKey'>;

/** What is in one group of one product: enough of it to see what is new and where it goes. */
interface Group {
  productId: string;
  group: ImageGroup;
  wanted: Wanted[];
  /** Those of the sources asked for that are there. */
  known: Set<string>;
  /** All of them only where some line asks for a position; else the last. */
  members: OrderedMember[];
  size: number;
  hasPositions: boolean;
}

/** Gathers what a batch asks for, group by group, in the order of the file. */
export class BatchPlan {
  readonly #groups = new Map<string, Group>();
  readonly #asked = new Set<string>();

  constructor(wanted: readonly Wanted[]) {
    for (const image of wanted) {
      const { productId, group, sourceKeys } = image;
      const key = `${productId} ${group}`;
      const found = this.#groups.get(key) ?? newGroup(productId, group);
      this.#groups.set(key, found);
      found.wanted.push(image);
      found.hasPositions ||= image.position !== null;
      for (const sourceKey of sourceKeys) this.#asked.add(`${key} ${sourceKey}`);
    }
  }

  /** Call it for each live image of the products that were there before, in the groups' order. */
  addMember(member: BulkMember): void {
    const key = `${member.productId} ${member.imageGroup}`;
    const group = this.#groups.get(key);
    if (!group) return;
    group.size += 1;
    if (!group.hasPositions) group.members.length = 0;
    group.members.push({ id: member.id, orderKey: member.orderKey });
    const keys = [
      member.sourceUrl && urlKey(member.sourceUrl),
      member.sourcePath && pathKey(member.sourcePath),
      member.fileHash && hashKey(member.fileHash),
    ];
    for (const sourceKey of keys) {
      if (sourceKey && this.#asked.has(`${key} ${sourceKey}`)) group.known.add(sourceKey);
    }
  }

  decide(limits: GalleryLimits): Plan {
    const plan: Plan = {
      rows: [],
      added: [],
      rekeyed: [],
      alreadyThere: 0,
      refused: [],
      shiftedProductIds: new Set(),
      thumbnailProductIds: new Set(),
    };
    for (const group of this.#groups.values()) decideGroup(group, limits, plan);
    keepLastThumbnails(plan);
    return plan;
  }
}

function newGroup(productId: string, group: ImageGroup): Group {
  return { productId, group, wanted: [], known: new Set(), members: [], size: 0, hasPositions: false };
}

function decideGroup(group: Group, limits: GalleryLimits, plan: Plan): void {
  const fresh = group.wanted.filter(({ sourceKeys }) => {
    const isKnown = sourceKeys.some(key => group.known.has(key));
    for (const key of sourceKeys) group.known.add(key);
    return !isKnown;
  });
  plan.alreadyThere += group.wanted.length - fresh.length;
  const added = fresh.filter((image, index) => {
    const problems = findLackOfRoom(group, group.size + index + 1, limits);
    if (problems.length > 0) plan.refused.push({ line: image.line, raw: image.raw, problems });
    return problems.length === 0;
  });
  if (added.length === 0) return;
  if (group.hasPositions) placeAtPositions(group, added, plan);
  else append(group, added, plan);
}

function findLackOfRoom(
  { productId, group }: Group,
  size: number,
  limits: GalleryLimits,
): readonly UserError[] {
  if (size <= limits.maxImages[group]) return [];
  try {
    const problems = new Problems();
    checkRoom(group, size, ['product_id'], limits, problems);
    problems.throwIfAny();
    return [];
  } catch (error) {
    if (!(error instanceof UserErrors)) throw error;
    return error.errors.map(problem => ({
      ...problem,
      message: problem.message.replace('the product', `product ${productId}`),
    }));
  }
}

/** The keys of galleries that begin empty, by their number: most are of the same few sizes. */
const firstKeys: string[][] = [];

function append({ members, size }: Group, added: readonly Wanted[], plan: Plan): void {
  const last = members.at(-1);
  let keys: string[] | undefined;
  if (last) keys = appendOrderKeys(last.orderKey, added.length);
  else {
    keys = firstKeys[added.length] ?? appendOrderKeys(null, added.length);
    firstKeys[added.length] = keys;
  }
  added.forEach((image, index) => {
    addRow(image, keys[index] ?? '', size + index, plan);
  });
}

/**
 * What names a position goes there, the lowest first, those of one position in the order of the file; then the others go
 * to the end. So positions with gaps, as sort orders have them, come out as an order.
 */
function placeAtPositions(group: Group, added: readonly Wanted[], plan: Plan): void {
  const items: (OrderedMember | Wanted)[] = [...group.members];
  const positioned = added.filter(image => image.position !== null);
  let previous = -1;
  for (const image of positioned.sort((one, other) => (one.position ?? 0) - (other.position ?? 0))) {
    previous = Math.min(Math.max(image.position ?? 0, previous + 1), items.length);
    items.splice(previous, 0, image);
  }
  items.push(...added.filter(image => image.position === null));
  const keys = assignOrderKeys(
    items.map(item => (isMember(item) ? item.orderKey : null)),
    new Set(group.members.map(member => member.orderKey)),
  );
  items.forEach((item, position) => {
    const orderKey = keys[position] ?? '';
    if (!isMember(item)) addRow(item, orderKey, position, plan);
    else if (orderKey !== item.orderKey) plan.rekeyed.push({ ...item, orderKey });
  });
  const lastMember = items.findLastIndex(isMember);
  if (lastMember >= group.size) plan.shiftedProductIds.add(group.productId);
}

function isMember(item: OrderedMember | Wanted): item is OrderedMember {
  return 'orderKey' in item;
}

function addRow(image: Wanted, orderKey: string, position: number, plan: Plan): void {
  plan.rows.push({ ...image.values, productId: image.productId, orderKey, position });
  plan.added.push(image);
}

/** As if the images came one by one: each that is flagged takes the flag from the one before. */
function keepLastThumbnails(plan: Plan): void {
  const flagged = new Map<string, { row: BulkRow; line: number }>();
  plan.rows.forEach((row, index) => {
    if (!row.isThumbnail) return;
    const line = plan.added[index]?.line ?? 0;
    const earlier = flagged.get(row.productId);
    if (earlier && earlier.line > line) {
      row.isThumbnail = false;
      return;
    }
    if (earlier) earlier.row.isThumbnail = false;
    flagged.set(row.productId, { row, line });
  });
  plan.thumbnailProductIds = new Set(flagged.keys());
}
