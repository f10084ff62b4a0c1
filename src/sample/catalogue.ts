import { GREEN, NAVY, SAND } from './materials.ts';
import { createBackpackShots } from './shapes/backpack.ts';
import { createChairShots } from './shapes/chair.ts';
import { createDeskLampShots } from './shapes/desk-lamp.ts';
import { createGiftBoxShots } from './shapes/gift-box.ts';
import { createHeadphonesShots } from './shapes/headphones.ts';
import { createMugShots, createMugSpin } from './shapes/mug.ts';
import { createSofaShots } from './shapes/sofa.ts';
import { createSwatchShot, createTShirtShots } from './shapes/t-shirt.ts';
import { createTrailShoeShots } from './shapes/trail-shoe.ts';
import { createWaterBottleShots } from './shapes/water-bottle.ts';
import { createWristwatchShots } from './shapes/wristwatch.ts';
import { composeShot, type Shot } from './studio.ts';
import { altTextOf, altTextsOf, captionOf, type ProductName, type View } from './texts.ts';

export interface SamplePicture {
  /** A file name; its ending is the format that `encodeSamplePicture` writes. */
  name: string;
  type: 'MORE_PHOTO' | 'PREVIEW_PICTURE' | 'DETAIL_PICTURE' | 'SPIN_360' | 'COLOR_SWATCH';
  /** English. */
  altText: string;
  /** By BCP 47 language tag. */
  altTexts: Record<string, string>;
  description: string | null;
  isThumbnail: boolean;
  svg: string;
}

export interface SampleProduct {
  /** Decimal, 64 bit. */
  id: string;
  kind: 'PRODUCT' | 'SKU' | 'OFFER' | 'SERVICE';
  parentId: string | null;
  marketingColor: string | null;
  /** Gallery, 360° frames and swatches, each in its order. */
  pictures: SamplePicture[];
}

/** What is drawn of one product. */
interface Session {
  product: ProductName;
  /** Of the first picture. */
  description?: string;
  /** Flagged as thumbnail; without it the first of the gallery serves. */
  thumbnail?: View;
  gallery: Shot[];
  spin?: Shot[];
  swatches?: Shot[];
}

/** Products before their variations; the same on every call. */
export function createSampleCatalogue(): SampleProduct[] {
  return [
    createProduct('101', {
      product: 'sofa',
      description: 'Two-seater in a woven wool blend on oak legs, 198 × 86 × 82 cm.',
      gallery: createSofaShots(),
    }),
    createProduct('102', {
      product: 'trail-shoe',
      description: 'Light shoe for rough paths, lugs of 5 mm, 268 g.',
      thumbnail: 'pair',
      gallery: createTrailShoeShots(),
    }),
    createProduct('103', {
      product: 'backpack',
      description: 'Waxed canvas and vegetable-tanned leather, 22 litres.',
      gallery: createBackpackShots(),
    }),
    createProduct('104', {
      product: 'mug',
      description: 'Stoneware, glazed by hand, 350 ml.',
      thumbnail: 'front',
      gallery: createMugShots(),
      spin: createMugSpin(),
    }),
    createProduct('105', { product: 'desk-lamp', gallery: createDeskLampShots() }),
    createProduct('106', { product: 'headphones', gallery: createHeadphonesShots() }),
    createProduct('107', { product: 'wristwatch', thumbnail: 'detail', gallery: createWristwatchShots() }),
    ...createTShirts(),
    { ...createProduct('111', { product: 'gift-wrapping', gallery: createGiftBoxShots() }), kind: 'SERVICE' },
    // Beyond 2^53: a JavaScript number would make 9007199254740992 of it.
    createProduct('9007199254740993', { product: 'chair', gallery: createChairShots() }),
    createProduct('1111588191', {
      product: 'water-bottle',
      description: 'Double-walled steel, keeps tea hot for twelve hours, 0.75 litres.',
      gallery: createWaterBottleShots(),
    }),
  ];
}

/** A head product, a variation with pictures of its own, and one that shows its parent's. */
function createTShirts(): SampleProduct[] {
  const swatches = [
    createSwatchShot('navy', NAVY),
    createSwatchShot('green', GREEN),
    createSwatchShot('sand', SAND),
  ];
  const head = createProduct('108', {
    product: 't-shirt',
    description: 'Heavy organic cotton, printed with water-based ink.',
    gallery: createTShirtShots(NAVY),
    swatches,
  });
  const green = createProduct('109', { product: 'green-t-shirt', gallery: createTShirtShots(GREEN) });
  const variation = { kind: 'OFFER', parentId: head.id } as const;
  return [
    { ...head, kind: 'SKU' },
    { ...green, ...variation, marketingColor: 'GREEN' },
    { id: '110', ...variation, marketingColor: 'NAVY', pictures: [] },
  ];
}

function createProduct(id: string, session: Session): SampleProduct {
  const { gallery, spin = [], swatches = [] } = session;
  const pictures = [gallery, spin, swatches].flatMap(group =>
    group.map((shot, index) => createPicture(session, shot, index)),
  );
  return { id, kind: 'PRODUCT', parentId: null, marketingColor: null, pictures };
}

function createPicture(session: Session, shot: Shot, index: number): SamplePicture {
  const { product, description, thumbnail, gallery } = session;
  const { view } = shot;
  return {
    name: fileNameOf(product, view, index),
    type: typeOf(view, index),
    altText: altTextOf(product, view),
    altTexts: altTextsOf(product, view),
    description: shot === gallery[0] ? (description ?? null) : null,
    isThumbnail: view === thumbnail,
    svg: composeShot(shot, { ...captionOf(product, view), order: index + 1 }),
  };
}

function fileNameOf(product: ProductName, view: View, index: number): string {
  if (view === 'spin') return `${product}-360-${String(index + 1).padStart(2, '0')}.jpg`;
  if (isColour(view)) return `${product}-swatch-${view}.webp`;
  return `${product}-${view}.${view === 'cutout' ? 'png' : 'jpg'}`;
}

function typeOf(view: View, index: number): SamplePicture['type'] {
  if (view === 'spin') return 'SPIN_360';
  if (isColour(view)) return 'COLOR_SWATCH';
  if (view === 'detail') return 'DETAIL_PICTURE';
  return index === 0 ? 'PREVIEW_PICTURE' : 'MORE_PHOTO';
}

function isColour(view: View): boolean {
  return view === 'navy' || view === 'green' || view === 'sand';
}
