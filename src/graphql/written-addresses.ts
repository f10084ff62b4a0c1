import { readInteger, typeNumbers } from '../data/row-values.ts';
import { type AddressWriter, formatEnding, originalFormats } from '../rendering/address.ts';
import type { OriginalPicture } from '../rendering/resolve-recipe.ts';
import type { AnswerBytes } from './answer-bytes.ts';
import type { Addresses, Context } from './context.ts';
import { type FindParts, handoutOf } from './image-addresses.ts';
import type { FieldWriter, RowColumns } from './row-writer.ts';

// Addresses are written into an answer from a row's columns as they came: what is told of the picture is the same for all
// of its size and type, so that nothing is left to do for each but to copy its hash. All are signed together in the end.

const { bool, bytea, float8, int4, text } = typeNumbers;

const columns = {
  fileHash: bytea,
  mimeType: text,
  width: int4,
  height: int4,
  hasAlpha: bool,
  focalX: float8,
  focalY: float8,
};
const placeOf = (name: keyof typeof columns) => Object.keys(columns).indexOf(name);
/** Their places among the columns of a row. */
const place = {
  hash: placeOf('fileHash'),
  mimeType: placeOf('mimeType'),
  width: placeOf('width'),
  height: placeOf('height'),
  hasAlpha: placeOf('hasAlpha'),
  focalX: placeOf('focalX'),
  focalY: placeOf('focalY'),
};

/** Postgres writes `\x` before the digits. */
const hashPrefix = 2;
const hashLength = hashPrefix + 64;
const types = originalFormats.map(format => ({ ...format, bytes: Buffer.from(format.mimeType) }));
const boundOfSides = 2 ** 20;

/** Of all pictures of a kind. */
interface WrittenPart {
  writer: AddressWriter;
  /** What follows the address. ASCII. */
  after: string;
}

/** For a field of a plan, of which thousands are kept. A shop has few sizes of pictures. */
const maxParts = 64;

/** Leaves to the resolver what is not imported, and what has a focal point. */
export function writeAddresses<Given extends object>(find: FindParts<Given>): FieldWriter {
  return {
    columns,
    create() {
      const kept = new Map<number, WrittenPart[]>();
      let keptFor: { given?: object; addresses?: Addresses } = {};
      let partCount = 0;
      /** Most pictures are as the one before, and what those have need not be looked up. */
      let last: { kind: number; parts: WrittenPart[] } | null = null;
      const forget = () => {
        kept.clear();
        partCount = 0;
        last = null;
      };
      const describe = (kind: number, row: RowColumns, given: Given, addresses: Addresses) => {
        const parts = describeKind(row, find, given, addresses);
        if (partCount + parts.length > maxParts) forget();
        kept.set(kind, parts);
        partCount += parts.length;
        return parts;
      };
      return (row, given, context, out) => {
        const { addresses } = context as Context;
        const kind = readKind(row);
        if (kind === null) return false;
        if (given !== keptFor.given || addresses !== keptFor.addresses) {
          forget();
          keptFor = { given, addresses };
        }
        if (last?.kind !== kind) {
          const parts = kept.get(kind) ?? describe(kind, row, given as Given, addresses);
          last = { kind, parts };
        }
        writeParts(last.parts, row, out, addresses);
        return true;
      };
    },
  };
}

function writeParts(
  parts: readonly WrittenPart[],
  row: RowColumns,
  out: AnswerBytes,
  { createBatch }: Addresses,
): void {
  out.unsigned ??= createBatch();
  const hashFrom = (row.from[place.hash] as number) + hashPrefix;
  out.putAscii('"');
  for (const { writer, after } of parts) {
    out.reserve(writer.length);
    out.length = writer.write(out.bytes, out.length, row.bytes, hashFrom, out.unsigned);
    out.putAscii(after);
  }
  out.putAscii('"');
}

/** One number for pictures of the same size and type; null where it takes more to say what is shown of one. */
function readKind(row: RowColumns): number | null {
  const { lengths } = row;
  const hasFocus = lengths[place.focalX] !== -1 && lengths[place.focalY] !== -1;
  if (lengths[place.hash] !== hashLength || hasFocus) return null;
  const type = findMimeType(row);
  const width = readSide(row, place.width);
  const height = readSide(row, place.height);
  if (type === -1 || !(width < boundOfSides && height < boundOfSides)) return null;
  const alpha = lengths[place.hasAlpha] === -1 ? 2 : Number(readAlpha(row));
  return ((width * boundOfSides + height) * types.length + type) * 3 + alpha;
}

function describeKind<Given>(
  row: RowColumns,
  find: FindParts<Given>,
  given: Given,
  addresses: Addresses,
): WrittenPart[] {
  const type = types[findMimeType(row)];
  if (!type) throw new Error('A kind of picture has a type');
  const picture: OriginalPicture = {
    mimeType: type.mimeType,
    width: readSide(row, place.width),
    height: readSide(row, place.height),
    hasAlpha: row.lengths[place.hasAlpha] === -1 ? null : readAlpha(row),
    focus: null,
  };
  return find(picture, given, addresses).map(({ recipe, after }) => ({
    writer: addresses.writerOf(formatEnding({ extension: type.extension, ...handoutOf(recipe) })),
    after,
  }));
}

/** -1 where it is none of ours, or null. */
function findMimeType({ bytes, from, lengths }: RowColumns): number {
  const start = from[place.mimeType] as number;
  const length = lengths[place.mimeType] as number;
  for (let type = 0; type < types.length; type++) {
    if (isAt(bytes, start, length, types[type]?.bytes as Buffer)) return type;
  }
  return -1;
}

function isAt(bytes: Buffer, start: number, length: number, name: Buffer): boolean {
  if (length !== name.length) return false;
  for (let at = 0; at < length; at++) if (bytes[start + at] !== name[at]) return false;
  return true;
}

/** NaN for null. */
function readSide({ bytes, from, lengths }: RowColumns, column: number): number {
  const [start, length] = [from[column] as number, lengths[column] as number];
  return length === -1 ? Number.NaN : readInteger(bytes, start, start + length);
}

function readAlpha({ bytes, from }: RowColumns): boolean {
  return bytes[from[place.hasAlpha] as number] === 't'.charCodeAt(0);
}
