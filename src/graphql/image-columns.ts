import { type DocumentNode, visit } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { findColumnSet, type ImageColumn } from '../data/image-columns.ts';
import type { Loaders } from '../data/loaders.ts';
import type { Context } from './context.ts';

/** What an address is made from. */
const picture: readonly ImageColumn[] = [
  'fileHash',
  'mimeType',
  'width',
  'height',
  'hasAlpha',
  'focalX',
  'focalY',
];
const place: readonly ImageColumn[] = ['imageGroup', 'orderKey'];

/** What fields of images are made from, by their names; `id` and `productId` are there always. */
const columnsOfFields: Readonly<Record<string, readonly ImageColumn[]>> = {
  id: [],
  productId: [],
  product: [],
  name: ['name'],
  type: ['type'],
  state: ['state'],
  failure: ['state', 'failureCode', 'failureMessage', 'attempts', 'retryAt'],
  altText: ['altText'],
  altTexts: ['altTexts'],
  description: ['description'],
  position: ['position'],
  isThumbnail: ['isThumbnail', 'deletedAt'],
  isPrimary: ['imageGroup', 'position', 'deletedAt'],
  sourceUrl: ['sourceUrl'],
  sourcePath: ['sourcePath'],
  url: [...picture, 'sourceUntilImported'],
  srcset: picture,
  zoomUrl: picture,
  thumbnailUrl: picture,
  standardUrl: picture,
  tinyUrl: picture,
  downloadUrl: [...picture, 'name'],
  width: ['width'],
  height: ['height'],
  mimeType: ['mimeType'],
  fileSize: ['byteSize'],
  contentHash: ['fileHash'],
  thumbhash: ['thumbhash'],
  dominantColor: ['dominantColor'],
  focalPoint: ['focalX', 'focalY'],
  createdAt: ['createdAt'],
  updatedAt: ['updatedAt'],
  deletedAt: ['deletedAt'],
  restorableUntil: ['restorableUntil'],
};

/** Of pages of images. In the order of changes, their times are read anyway. */
const columnsOfCursors: typeof columnsOfFields = { cursor: place, startCursor: place, endCursor: place };

/** Of any page that there are more. */
const fieldsOfMore: readonly string[] = ['hasNextPage', 'hasPreviousPage'];

type Reading = Pick<Loaders, 'columns' | 'looksAhead' | 'versionsFirst'>;

const known = new WeakMap<DocumentNode, Reading>();

/** What is to be read of images for a document, whichever of its operations is asked for. */
export function findReadingOf(document: DocumentNode): Reading {
  const found = known.get(document) ?? {
    columns: findColumnSet(collectColumns(document)),
    looksAhead: tellsMore(document),
    versionsFirst: tellsAnyOf(document, ['imagesVersion']),
  };
  known.set(document, found);
  return found;
}

/** Whether it shows of any page that there are more. */
export function tellsMore(document: DocumentNode): boolean {
  return tellsAnyOf(document, fieldsOfMore);
}

/** By names alone, wherever they are. */
function tellsAnyOf(document: DocumentNode, fields: readonly string[]): boolean {
  let tells = false;
  visit(document, {
    Field({ name: { value: name } }) {
      tells ||= fields.includes(name);
    },
  });
  return tells;
}

/** By names alone, wherever they are, so that nothing is missed. */
export function collectColumns(document: DocumentNode): Set<ImageColumn> {
  const columns = new Set<ImageColumn>();
  visit(document, {
    Field({ name: { value: name }, arguments: given = [] }) {
      const needed = columnsOfFields[name] ?? columnsOfCursors[name] ?? [];
      for (const column of needed) columns.add(column);
      // In a language, an alt text may be any of several.
      if (name === 'altText' && given.length > 0) columns.add('altTexts');
    },
  });
  return columns;
}

/** Reads of images only what an operation shows. Mutations go on with loaders of their own, which read everything. */
export function useImageColumns(): Plugin<Context> {
  return {
    onExecute({ args }) {
      Object.assign(args.contextValue.loaders, findReadingOf(args.document));
    },
  };
}
