import { type Extension, extensionOf, formats, mimeTypeOf } from '../storage/formats.ts';
import { prepareEnding } from './hmac-lanes.ts';
import { formatRecipe, parseRecipe, type Recipe } from './recipe.ts';
import { type Signer, type SigningBatch, signatureLength } from './signature.ts';

export type { SigningBatch } from './signature.ts';

/** Where an original rests: `hash` is its SHA-256 in hex. */
export interface Original {
  hash: string;
  extension: Extension;
}

/** What is handed out of an original: its bytes, or what is made of them. */
export type Handout =
  | { kind: 'original' }
  | { kind: 'rendition'; recipe: Recipe }
  /** `expiresAt` counts to the second. `name` is what the file is saved as. */
  | { kind: 'download'; expiresAt: Date; name: string };

/** What an address names: bytes, or how they are made from bytes, so that it never shows anything else. */
export type ImageAddress = Original & Handout;

export const imagesPath = '/images/';
/** The types that originals have, and how their addresses end. */
export const originalFormats = formats;

export function originalOf(hash: string, mimeType: string): Original {
  return { hash, extension: extensionOf(mimeType) };
}

/** The path, signed. Equal addresses have equal paths until another key comes first. */
export function formatAddress(address: ImageAddress, signer: Signer): string {
  const content = formatContent(address);
  return `${imagesPath}${signer.sign(content)}/${content}`;
}

/** Writes addresses that end alike into answers, where there are thousands of them. */
export interface AddressWriter {
  /** Of each address, in bytes. */
  length: number;
  /**
   * Writes the address of the original whose hash begins there as 64 hex digits, as JSON without its quotes; answers
   * where it ends. There must be room for it. Its signature comes with those of the batch.
   */
  write(to: Buffer, at: number, bytes: Buffer, hashFrom: number, batch: SigningBatch): number;
}

const hashDigits = 64;
/** For each base URL. Shops show few sizes, but pictures that are cut nowhere have a height each. */
const maxWriters = 1_000;

/** Finds the writer for an ending as `formatEnding` makes them. Of what is behind `baseUrl`, JSON escapes nothing. */
export function createAddressWriters(
  baseUrl: string,
  { prefix }: Pick<Signer, 'prefix'>,
): (ending: string) => AddressWriter {
  const beginning = JSON.stringify(baseUrl + imagesPath).slice(1, -1) + prefix;
  const writers = new Map<string, AddressWriter>();
  return ending => {
    const known = writers.get(ending);
    if (known) return known;
    if (writers.size >= maxWriters) writers.clear();
    const writer = createAddressWriter(beginning, ending);
    writers.set(ending, writer);
    return writer;
  };
}

/** What is the same in all of them is written once, here. */
function createAddressWriter(beginning: string, ending: string): AddressWriter {
  const signatureAt = Buffer.byteLength(beginning);
  const hashAt = signatureAt + signatureLength + 1;
  const address = Buffer.from(
    `${beginning}${'.'.repeat(signatureLength)}/${'0'.repeat(hashDigits)}${ending}`,
  );
  const preparedEnding = prepareEnding(ending);
  return {
    length: address.length,
    write(to, at, bytes, hashFrom, batch) {
      const end = at + address.copy(to, at);
      putBytes(to, at + hashAt, bytes, hashFrom, hashDigits);
      batch.add(at + signatureAt, preparedEnding);
      return end;
    },
  };
}

/** For as few bytes faster than what is native. */
function putBytes(to: Buffer, start: number, bytes: Buffer, from: number, count: number): void {
  for (let at = 0; at < count; at++) to[start + at] = bytes[from + at] as number;
}

const signedPath = /^\/images\/([a-z0-9]{1,16}\.[A-Za-z0-9_-]{22})\/([!-~]+)$/;

/**
 * What a path names, as it is spelt in the request, nothing decoded; 'forged' where it is not signed by a key of ours,
 * null where it is none of our addresses. Whether a download has expired is left to the caller.
 */
export function parseAddress(path: string, signer: Signer): ImageAddress | 'forged' | null {
  const [, signature, content] = signedPath.exec(path) ?? [];
  if (!signature || !content) return null;
  if (!signer.verify(signature, content)) return 'forged';
  const address = parseContent(content);
  return address && formatContent(address) === content ? address : null;
}

/** All that is signed. */
function formatContent(address: ImageAddress): string {
  return address.hash + formatEnding(address);
}

/** What follows the hash, such as `.jpg/386x290-auto.jpg`; ASCII. */
export function formatEnding(address: Omit<Original, 'hash'> & Handout): string {
  if (address.kind === 'original') return `.${address.extension}`;
  if (address.kind === 'rendition') return `.${address.extension}/${formatRecipe(address.recipe)}`;
  const seconds = Math.floor(address.expiresAt.getTime() / 1_000);
  return `.${address.extension}/download-${seconds}/${encodeURIComponent(address.name)}`;
}

function parseContent(content: string): ImageAddress | null {
  const [, hash, extension, detail] = /^([0-9a-f]{64})\.([a-z]+)(?:\/(.+))?$/.exec(content) ?? [];
  if (!hash || !extension || !isExtension(extension)) return null;
  const original = { hash, extension };
  if (!detail) return { kind: 'original', ...original };
  const recipe = parseRecipe(detail);
  return recipe ? { kind: 'rendition', ...original, recipe } : parseDownload(original, detail);
}

function parseDownload(original: Original, detail: string): ImageAddress | null {
  const [, seconds, encoded] = /^download-(\d{1,11})\/([^/]+)$/.exec(detail) ?? [];
  const name = encoded && decode(encoded);
  return name ? { kind: 'download', ...original, expiresAt: new Date(Number(seconds) * 1_000), name } : null;
}

function decode(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}

function isExtension(extension: string): extension is Extension {
  return mimeTypeOf(extension) !== null;
}

/** File systems take no longer name; an address of 2,048 characters has room for it in any script. */
const maxNameBytes = 255;
const endings: Record<Extension, RegExp> = {
  jpg: /\.jpe?g$/i,
  png: /\.png$/i,
  webp: /\.webp$/i,
  gif: /\.gif$/i,
};
const encoder = new TextEncoder();

/** What an original is saved as: its name, and an ending that tells what it is, whatever the name says. */
export function nameDownload(name: string, extension: Extension): string {
  const stem = name.toWellFormed().replace(endings[extension], '');
  const ending = endings[extension].exec(name)?.[0] ?? `.${extension}`;
  return (cutBytes(stem, maxNameBytes - ending.length) || 'image') + ending;
}

/** As many characters as fit, none of them cut in two. */
function cutBytes(text: string, maxBytes: number): string {
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(maxBytes)).read);
}
