import { createReadStream } from 'node:fs';
import type { BulkFile, BulkLine, Position } from './bulk-file.ts';
import { isUrl } from './check-entry.ts';
import { type Entry, newEntry, normalizeHeader, problemWith } from './entry.ts';
import { localeOfHeader, positionNames, sourceNames } from './own-layout.ts';

const maxLineBytes = 1_000_000;

/** The lines of a file from a position on; `tellIgnored` hears of every key that is not read, once. */
export async function* readNdjsonLines(
  { path }: BulkFile,
  from: Position,
  tellIgnored: (key: string) => void,
): AsyncGenerator<BulkLine> {
  const ignored = new Set<string>();
  const tell = (key: string) => {
    if (ignored.has(key) || ignored.size === maxIgnoredKeys) return;
    ignored.add(key);
    tellIgnored(key);
  };
  let { byteOffset, line } = from;
  for await (const { bytes, length } of splitLines(path, byteOffset)) {
    byteOffset += length;
    const raw = bytes
      .toString('utf8')
      .replace(/^\uFEFF/, '')
      .trim();
    const next = { byteOffset, line: line + 1 };
    if (raw !== '') yield { line, raw, next, ...parseLine(raw, length > maxLineBytes, tell) };
    line += 1;
  }
}

const maxIgnoredKeys = 100;

/** Lines without their break; of one that is too long only as much as is needed to see that. */
async function* splitLines(path: string, start: number): AsyncGenerator<{ bytes: Buffer; length: number }> {
  let parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer) => {
    if (length <= maxLineBytes) parts.push(part);
    length += part.length;
  };
  for await (const chunk of createReadStream(path, { start, highWaterMark: 128 * 1_024 })) {
    let begin = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, begin)) {
      add(chunk.subarray(begin, end + 1));
      yield { bytes: Buffer.concat(parts), length };
      parts = [];
      length = 0;
      begin = end + 1;
    }
    add(chunk.subarray(begin));
  }
  if (length > 0) yield { bytes: Buffer.concat(parts), length };
}

function parseLine(
  raw: string,
  isTooLong: boolean,
  tell: (key: string) => void,
): Pick<BulkLine, 'entries' | 'problems'> {
  const refuse = (message: string) => ({ entries: [], problems: [problemWith('line', 'INVALID', message)] });
  if (isTooLong) return refuse(`line has more than ${maxLineBytes} bytes`);
  if (raw.includes('\uFFFD')) return refuse('line holds bytes that are not UTF-8; save the file as UTF-8');
  try {
    const value: unknown = JSON.parse(raw);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { entries: [readObject(value, tell)], problems: [] };
    }
  } catch {
    // Told as any other line that is no object.
  }
  return refuse(
    'line is no JSON object; each line must be one, such as {"productId": "1", "source": "https://…"}',
  );
}

/** How each key of an object goes into an entry; keys are compared as headers are. */
const readers: Record<string, (entry: Entry, value: unknown, key: string) => void> = {
  productid: (entry, value, key) => {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      const message = `${key} is a number beyond 2^53, which JSON readers round; write it as text`;
      entry.problems.push(problemWith(key, 'INVALID', message));
    } else entry.productId = readText(entry, value, key).trim();
  },
  type: (entry, value, key) => {
    entry.type = readText(entry, value, key);
  },
  alttext: (entry, value, key) => {
    entry.altText = value === null ? null : readText(entry, value, key);
  },
  alttexts: readAltTexts,
  description: (entry, value, key) => {
    entry.description = value === null ? null : readText(entry, value, key);
  },
  isthumbnail: (entry, value, key) => {
    entry.isThumbnail = readText(entry, value, key);
  },
  focalx: (entry, value, key) => {
    entry.focalX = readText(entry, value, key);
  },
  focaly: (entry, value, key) => {
    entry.focalY = readText(entry, value, key);
  },
  focalpoint: (entry, value, key) => {
    const point = isRecord(value) ? value : {};
    entry.focalX = readText(entry, point.x ?? null, `${key}.x`);
    entry.focalY = readText(entry, point.y ?? null, `${key}.y`);
  },
  id: () => {},
};
for (const name of sourceNames) {
  readers[normalizeHeader(name)] = (entry, value, key) => {
    const source = readText(entry, value, key);
    // A file's name may begin or end with a blank.
    entry.source = isUrl(source.trim()) || source.trim() === '' ? source.trim() : source;
  };
}
for (const name of positionNames) {
  readers[normalizeHeader(name)] = (entry, value, key) => {
    entry.position = readText(entry, value, key);
  };
}

function readObject(value: object, tell: (key: string) => void): Entry {
  const entry = newEntry('', '');
  for (const [key, part] of Object.entries(value)) {
    const name = normalizeHeader(key);
    const locale = localeOfHeader(key);
    if (Object.hasOwn(readers, name)) readers[name]?.(entry, part, key);
    else if (locale) entry.altTexts.push({ locale, text: readText(entry, part, key) });
    else tell(key);
  }
  return entry;
}

function readText(entry: Entry, value: unknown, key: string): string {
  if (value === null) return '';
  if (['string', 'number', 'boolean'].includes(typeof value)) return String(value);
  const message = `${key} is ${Array.isArray(value) ? 'a list' : 'an object'}; it must be one value`;
  entry.problems.push(problemWith(key, 'INVALID', message));
  return '';
}

/** As the API has them, `[{locale, text}]`, or as an object by language. */
function readAltTexts(entry: Entry, value: unknown, key: string): void {
  const pairs = Array.isArray(value)
    ? value.map(item => (isRecord(item) ? [item.locale, item.text] : [undefined, undefined]))
    : Object.entries(isRecord(value) ? value : {});
  for (const [locale, text] of pairs) {
    if (typeof locale === 'string' && typeof text === 'string') entry.altTexts.push({ locale, text });
    else {
      const message = `${key} must be a list of {"locale", "text"}, or an object of texts by language`;
      entry.problems.push(problemWith(key, 'INVALID', message));
      return;
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
