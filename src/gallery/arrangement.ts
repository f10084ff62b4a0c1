import { type ImageGroup, type ImageType, imageGroups } from '../data/tables.ts';
import { assignOrderKeys } from './order-keys.ts';

export const groupOfType: Record<ImageType, ImageGroup> = {
  MORE_PHOTO: 'GALLERY',
  PREVIEW_PICTURE: 'GALLERY',
  DETAIL_PICTURE: 'GALLERY',
  SPIN_360: 'SPIN_360',
  COLOR_SWATCH: 'SWATCH',
};

interface Keyed {
  imageGroup: ImageGroup;
  orderKey: string;
}

/** An image of a future set: `image` is null for one that is to be added. */
interface Item {
  image: Keyed | null;
  group: ImageGroup;
}

export interface Place {
  orderKey: string;
  position: number;
}

/** Places for a whole set in the order given, each group by itself; keys stay where the order allows it. */
export function arrange<Arranged extends Item>(
  items: readonly Arranged[],
  current: readonly Keyed[],
): Map<Arranged, Place> {
  const places = new Map<Arranged, Place>();
  for (const group of imageGroups) {
    const members = items.filter(item => item.group === group);
    if (members.length === 0) continue;
    const keys = members.map(({ image }) => (image?.imageGroup === group ? image.orderKey : null));
    const assigned = assignOrderKeys(keys, keysOf(membersOf(current, group)));
    members.forEach((item, position) => {
      places.set(item, { orderKey: assigned[position] ?? '', position });
    });
  }
  return places;
}

/**
 * A place among the members of a group: in front of the one at `position`; at the end for null and beyond it.
 * `others` are the members then, which are the same objects unless all keys had to be given anew.
 */
export function placeAt<Member extends Keyed>(
  members: readonly Member[],
  position: number | null,
  taken = keysOf(members),
): { place: Place; others: Member[] } {
  const index = Math.min(position ?? members.length, members.length);
  const keys: (string | null)[] = members.map(member => member.orderKey);
  const assigned = assignOrderKeys(keys.toSpliced(index, 0, null), taken);
  const [orderKey = ''] = assigned.splice(index, 1);
  return { place: { orderKey, position: index }, others: withKeys(members, assigned) };
}

/** Rows with the keys assigned to them; those that have theirs already are the same objects. */
function withKeys<Row extends Keyed>(rows: readonly Row[], keys: readonly string[]): Row[] {
  return rows.map((row, at) => {
    const orderKey = keys[at] ?? row.orderKey;
    return orderKey === row.orderKey ? row : { ...row, orderKey };
  });
}

export function membersOf<Row extends Keyed>(rows: readonly Row[], group: ImageGroup): Row[] {
  return rows.filter(row => row.imageGroup === group);
}

export function keysOf(rows: readonly Keyed[]): Set<string> {
  return new Set(rows.map(row => row.orderKey));
}
