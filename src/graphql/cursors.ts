import { isId } from '../data/ids.ts';
import { createImageCursor, type ImageCursor, type ImageOrder, imageOrders } from '../data/image-list.ts';
import type { ImageRow } from '../data/images.ts';
import { imageGroups } from '../data/tables.ts';
import { BadInput, describeValue } from '../errors.ts';

const isGroup = (text: string) => (imageGroups as readonly string[]).includes(text);
const isOrderKey = (text: string) => /^[0-9A-Za-z]{1,2000}$/.test(text);
/** JavaScript takes the 30th of February for the first of March, and has a year 0; Postgres has neither. */
const isTime = (text: string) =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) &&
  !text.startsWith('0000') &&
  !Number.isNaN(Date.parse(text)) &&
  new Date(text).toISOString() === text;

/** What each part of a cursor must look like. */
const parts: Record<ImageOrder, ((text: string) => boolean)[]> = {
  GALLERY: [isId, isGroup, isOrderKey, isId],
  ID: [isId],
  UPDATED: [isTime, isId],
};

/** Opaque to clients; names its order, so that a cursor of another list is noticed. */
export function formatCursor(row: ImageRow, order: ImageOrder): string {
  return encode([order, ...createImageCursor(row, order)].join(' '));
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** BadInput for what is no cursor of ours, or one of another order. */
export function parseCursor(text: string, name: string, order: ImageOrder): ImageCursor {
  const decoded = Buffer.from(text, 'base64url').toString();
  const [cursorOrder, ...cursor] = decoded.split(' ');
  const known = imageOrders.find(candidate => candidate === cursorOrder);
  if (!known || !fits(cursor, known) || encode(decoded) !== text) {
    throw new BadInput(
      `${name} is ${describeValue(text)}, which is no cursor of this service; pass one that it gave`,
    );
  }
  if (known !== order) {
    throw new BadInput(`${name} is a cursor of order ${known}; this list is in order ${order}`);
  }
  return cursor;
}

function fits(cursor: readonly string[], order: ImageOrder): boolean {
  return (
    cursor.length === parts[order].length &&
    parts[order].every((isRight, index) => isRight(cursor[index] ?? ''))
  );
}

/** A product's images are a part of the gallery order, in which the order key alone says where. */
export function parseGalleryCursor(text: string, name: string): string {
  return parseCursor(text, name, 'GALLERY')[2] ?? '';
}
