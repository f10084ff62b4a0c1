import type { ByteRange } from '../storage/storage.ts';

/**
 * What the header `Range` asks for of `size` bytes, or null for all of them: several ranges at once and what cannot be
 * read are ignored, as RFC 9110, 14.2 allows.
 */
export function parseByteRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
  const [, first, last] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return null;
  if (first === '') return createRange(Math.max(size - Number(last), 0), size - 1);
  if (last !== '' && Number(last) < Number(first)) return null;
  return createRange(Number(first), last === '' ? size - 1 : Math.min(Number(last), size - 1));
}

function createRange(start: number, end: number): ByteRange | 'unsatisfiable' {
  return start <= end ? { start, end } : 'unsatisfiable';
}
