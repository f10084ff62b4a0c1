import { extensionOf, mimeTypeOf } from '../storage/formats.ts';

/** What an address under /images/ names: the bytes themselves, so that it never shows anything else. */
export interface OriginalAddress {
  hash: string;
  extension: string;
  mimeType: string;
}

export const imagesPath = '/images/';

export function formatOriginalAddress(publicUrl: string, hash: string, mimeType: string): string {
  return `${publicUrl}${imagesPath}${hash}.${extensionOf(mimeType)}`;
}

/** Null for anything but the one spelling that `formatOriginalAddress` has. */
export function parseOriginalAddress(path: string): OriginalAddress | null {
  const [, hash, extension] = /^\/images\/([0-9a-f]{64})\.([a-z]+)$/.exec(path) ?? [];
  const mimeType = extension && mimeTypeOf(extension);
  return hash && extension && mimeType ? { hash, extension, mimeType } : null;
}
