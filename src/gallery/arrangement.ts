import type { ImageRow } from '../data/images.ts';
import { type ImageGroup, type ImageType, imageGroups } from '../data/tables.ts';
import { assignOrderKeys } from './order-keys.ts';

export const groupOfType: Record<ImageType, ImageGroup> = {
  MORE_PHOTO: 'GALLERY',
  PREVIEW_PICTURE: 'GALLERY',
  DETAIL_PICTURE: 'GALLERY',
  SPIN_360: 'SPIN_360',
  COLOR_SWATCH: 'SWATCH',
};

/** An image's future place: `image` is null for one that is to be added. */
interface Item {
  image: ImageRow | null;
  type: ImageType;
}

export interface Place {
  orderKey: string;
  position: number;
}

/** Places for a whole set in the order given, each group by itself; keys stay where the order allows it. */
export function arrange<Arranged extends Item>(
  items: readonly Arranged[],
  current: readonly ImageRow[],
): Map<Arranged, Place> {
  const places = new Map<Arranged, Place>();
  for (const group of imageGroups) {
    const members = items.filter(item => groupOfType[item.type] === group);
    const keys = members.map(({ image }) => (image && image.imageGroup === group ? image.orderKey : null));
    const taken = new Set(current.filter(row => row.imageGroup === group).map(row => row.orderKey));
    const assigned = assignOrderKeys(keys, taken);
    members.forEach((item, position) => {
      places.set(item, { orderKey: assigned[position] ?? '', position });
    });
  }
  return places;
}
