import type { ImageRow } from '../data/images.ts';
import type { ImageState, ImageType } from '../data/tables.ts';
import { lookUpAltText } from '../gallery/texts.ts';
import { builder } from './builder.ts';
import {
  addressesOf,
  downloadUrlOf,
  findSized,
  findSrcset,
  findUrl,
  srcsetOf,
  urlOf,
} from './image-addresses.ts';
import { Product } from './product.ts';
import { ImageTransformInput } from './transform.ts';
import { ProductImageErrorCode } from './user-errors.ts';
import { writeAddresses } from './written-addresses.ts';

export const ProductImageType = builder.enumType('ProductImageType', {
  description: 'What an image is for. MORE_PHOTO, PREVIEW_PICTURE and DETAIL_PICTURE make the gallery.',
  values: {
    MORE_PHOTO: { description: 'A further picture of the gallery; what an image is unless told otherwise.' },
    PREVIEW_PICTURE: { description: 'A picture of the gallery for lists of products.' },
    DETAIL_PICTURE: { description: "A picture of the gallery for the product's own page." },
    SPIN_360: { description: 'A frame of the 360° view; ordered apart from the gallery.' },
    COLOR_SWATCH: { description: 'A sample of a colour; ordered apart from the gallery.' },
  } satisfies Record<ImageType, object>,
});

export const ProductImageState = builder.enumType('ProductImageState', {
  description: "How far an image's bytes have come.",
  values: {
    IMPORTED: { description: 'Accepted; its bytes are not here yet.' },
    UPLOADED: { description: 'Stored and ready.' },
    PENDING: { description: 'The last try failed; another follows.' },
    FAILED: { description: 'Given up; `retryProductImages` tries again.' },
  } satisfies Record<ImageState, object>,
});

const ProductImageFailure = builder.objectRef<ImageRow>('ProductImageFailure').implement({
  description: 'Why the last try to import an image failed.',
  fields: t => ({
    code: t.field({
      description: 'What went wrong, for programs.',
      type: ProductImageErrorCode,
      resolve: row => row.failureCode ?? 'SOURCE_UNREACHABLE',
    }),
    message: t.string({
      description: 'What went wrong, and what would be right.',
      resolve: row => row.failureMessage ?? '',
    }),
    attempts: t.exposeInt('attempts', { description: 'How many tries there were.' }),
    retryAt: t.expose('retryAt', {
      description: 'When the next try follows; null when it was given up.',
      type: 'DateTime',
      nullable: true,
    }),
  }),
});

const LocalizedText = builder.objectRef<{ locale: string; text: string }>('LocalizedText').implement({
  description: 'A text in a language.',
  fields: t => ({
    locale: t.expose('locale', { description: 'The language.', type: 'Locale' }),
    text: t.exposeString('text', { description: 'The text in that language.' }),
  }),
});

const FocalPoint = builder.objectRef<{ x: number; y: number }>('FocalPoint').implement({
  description: 'The spot that cropping keeps in the picture. Fractions from the top left, 0 to 1.',
  fields: t => ({
    x: t.exposeFloat('x', { description: 'From the left edge, 0 to 1.' }),
    y: t.exposeFloat('y', { description: 'From the top edge, 0 to 1.' }),
  }),
});

const zoom = findSized('zoom');
const thumbnail = findSized('thumbnail');
const standard = findSized('standard');
const tiny = findSized('tiny');

export const ProductImage = builder.objectRef<ImageRow>('ProductImage');

ProductImage.implement({
  description: 'One picture of one product, with its place, type, texts and state.',
  extensions: { federation: { key: { fields: 'id' } } },
  fields: t => ({
    id: t.exposeID('id', { description: 'A 64-bit integer in decimal; never used again for another image.' }),
    productId: t.exposeID('productId', { description: 'The product that it is on.' }),
    product: t.field({
      description: 'The product that it is on.',
      type: Product,
      resolve: row => ({ id: row.productId }),
    }),
    name: t.exposeString('name', { description: 'File name.' }),
    type: t.expose('type', { description: 'What it is for.', type: ProductImageType }),
    state: t.expose('state', { description: 'How far its bytes have come.', type: ProductImageState }),
    failure: t.field({
      description: 'Why the last try to import it failed; null unless `state` is PENDING or FAILED.',
      type: ProductImageFailure,
      nullable: true,
      resolve: (row, _arguments, { caller }) =>
        (row.state === 'PENDING' || row.state === 'FAILED') && !caller.isStranger ? row : null,
    }),
    altText: t.string({
      description:
        'For people who do not see the image. With `locale`: that language, else its parent language (de-AT, de), else the default text.',
      nullable: true,
      args: {
        locale: t.arg({ type: 'Locale', description: 'The language wanted; left out, the default text.' }),
      },
      extensions: { withoutArguments: 'altText' },
      resolve: (row, { locale }) => (locale ? lookUpAltText(row.altTexts, locale) : null) ?? row.altText,
    }),
    altTexts: t.field({
      description: 'The alt texts that have a language, by language tag; the default text is not among them.',
      type: [LocalizedText],
      resolve: row => Object.entries(row.altTexts ?? {}).map(([locale, text]) => ({ locale, text })),
    }),
    description: t.exposeString('description', {
      description: 'What the shop says of the picture; null when nothing.',
      nullable: true,
    }),
    position: t.exposeInt('position', {
      description:
        "Zero-based place among the product's images of the same group (gallery, 360° frames, swatch).",
    }),
    isThumbnail: t.boolean({
      description: "The product's thumbnail; at most one image of a product is.",
      resolve: row => row.isThumbnail && !row.deletedAt,
    }),
    isPrimary: t.boolean({
      description: 'The first of the gallery.',
      resolve: row => row.imageGroup === 'GALLERY' && row.position === 0 && !row.deletedAt,
    }),
    sourceUrl: t.field({
      description: 'Where it was imported from; null for an upload, and for strangers.',
      type: 'URL',
      nullable: true,
      resolve: (row, _arguments, { caller }) => (caller.isStranger ? null : row.sourceUrl),
    }),
    sourcePath: t.string({
      description:
        'Where it lay in the import directory; null when it came from elsewhere, and for strangers.',
      nullable: true,
      resolve: (row, _arguments, { caller }) => (caller.isStranger ? null : row.sourcePath),
    }),
    url: t.field({
      description:
        'Where to show it from, sized and encoded as `transform` asks. Until it is imported: its source. Null when the import failed.',
      type: 'URL',
      nullable: true,
      args: {
        transform: t.arg({ type: ImageTransformInput, description: 'Left out: the untouched original.' }),
      },
      extensions: { writer: writeAddresses(findUrl) },
      resolve: urlOf,
    }),
    srcset: t.string({
      description:
        'The value of an <img srcset>; never wider than the original. Null until imported. The addresses stay the same and can be kept for ever.',
      nullable: true,
      args: {
        widths: t.arg.intList({
          description:
            'In pixels, at most 20 of them; those beyond the original become its own width. Left out: from 160 to 2,560.',
        }),
        transform: t.arg({
          type: ImageTransformInput,
          description:
            'As for `url`, but each of `widths` takes the place of `width`; `height` changes in proportion, and `dpr` is left to the browser.',
        }),
      },
      extensions: { writer: writeAddresses(findSrcset) },
      resolve: srcsetOf,
    }),
    zoomUrl: t.field({
      description: 'To look at it closely: 1280 × 1280 at most, unless set otherwise. Null until imported.',
      type: 'URL',
      nullable: true,
      extensions: { writer: writeAddresses(zoom) },
      resolve: (row, given, context) => addressesOf(row, given, context, zoom),
    }),
    thumbnailUrl: t.field({
      description: 'For lists of products: 386 × 513 at most, unless set otherwise. Null until imported.',
      type: 'URL',
      nullable: true,
      extensions: { writer: writeAddresses(thumbnail) },
      resolve: (row, given, context) => addressesOf(row, given, context, thumbnail),
    }),
    standardUrl: t.field({
      description: "For a product's page: 220 × 290 at most, unless set otherwise. Null until imported.",
      type: 'URL',
      nullable: true,
      extensions: { writer: writeAddresses(standard) },
      resolve: (row, given, context) => addressesOf(row, given, context, standard),
    }),
    tinyUrl: t.field({
      description: 'For a cart or a row of dots: 44 × 58 at most, unless set otherwise. Null until imported.',
      type: 'URL',
      nullable: true,
      extensions: { writer: writeAddresses(tiny) },
      resolve: (row, given, context) => addressesOf(row, given, context, tiny),
    }),
    downloadUrl: t.field({
      description:
        'The untouched original as a download; signed, and good for an hour unless set otherwise. Null until imported, and for strangers.',
      type: 'URL',
      nullable: true,
      resolve: (row, _arguments, context) => (context.caller.isStranger ? null : downloadUrlOf(row, context)),
    }),
    width: t.exposeInt('width', {
      description:
        "Pixels, after the camera's orientation is applied; null until imported. So are the six that follow.",
      nullable: true,
    }),
    height: t.exposeInt('height', { description: 'Pixels, likewise.', nullable: true }),
    mimeType: t.exposeString('mimeType', {
      description: 'The type that the bytes have, whatever the name says.',
      nullable: true,
    }),
    fileSize: t.exposeInt('byteSize', { description: 'Bytes.', nullable: true }),
    contentHash: t.exposeString('fileHash', { description: 'SHA-256 of the original, hex.', nullable: true }),
    thumbhash: t.exposeString('thumbhash', {
      description: 'Base64 ThumbHash of about 25 bytes, to paint before the image arrives.',
      nullable: true,
    }),
    dominantColor: t.exposeString('dominantColor', { description: 'Like #a1b2c3.', nullable: true }),
    focalPoint: t.field({
      description: 'What cropping keeps in the picture; null for the middle.',
      type: FocalPoint,
      nullable: true,
      resolve: ({ focalX, focalY }) => (focalX === null || focalY === null ? null : { x: focalX, y: focalY }),
    }),
    createdAt: t.expose('createdAt', { description: 'When it was taken in.', type: 'DateTime' }),
    updatedAt: t.expose('updatedAt', {
      description: 'When it was last changed; that neighbours came or went does not count.',
      type: 'DateTime',
    }),
    deletedAt: t.expose('deletedAt', {
      description: 'When it was deleted; null while it is not.',
      type: 'DateTime',
      nullable: true,
    }),
    restorableUntil: t.expose('restorableUntil', {
      description: 'Until then `restoreProductImages` brings a deleted image back.',
      type: 'DateTime',
      nullable: true,
    }),
  }),
});
