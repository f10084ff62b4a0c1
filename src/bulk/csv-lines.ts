import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type CsvError, type InfoRecord, type Options, parse } from 'csv-parse';
import { parse as parseSync } from 'csv-parse/sync';
import type { BulkFile, BulkLine, Position } from './bulk-file.ts';
import { type Carry, problemWith } from './entry.ts';

/** A quote that is never closed would otherwise take the rest of the file for one value. */
const maxRecordBytes = 1_000_000;

const dialect: Options = {
  bom: true,
  record_delimiter: ['\r\n', '\n', '\r'],
  relax_column_count: true,
  skip_empty_lines: true,
  max_record_size: maxRecordBytes,
};

/** The names of the columns, from the beginning of a file. */
export function parseHeader(head: string, delimiter: string): string[] {
  const [headers = []] = parseSync(head, { ...dialect, delimiter, to: 1 });
  if (headers.length === 0) throw new Error('The file is empty; its first line must name the columns');
  return headers;
}

interface CsvRecord {
  values: string[];
  raw: string;
  end: number;
}

/**
 * The lines of a file from a position on. One that is no CSV is told, and reading begins anew behind its line break,
 * so that a stray quote costs a line or two and not the rest of the file. An empty one counts and says nothing.
 */
export async function* readCsvLines(
  { path, byteSize, csv }: BulkFile,
  from: Position,
  carry: Carry,
): AsyncGenerator<BulkLine> {
  if (!csv) return;
  const { delimiter, columnCount, layout } = csv;
  let next = from;
  while (next.byteOffset < byteSize) {
    const startsAt = next.byteOffset;
    let failure: CsvError | null = null;
    for await (const parsed of parseFrom(path, startsAt, delimiter)) {
      if ('failure' in parsed) {
        failure = parsed.failure;
        break;
      }
      const line = next.line + countLineBreaks(/^[\r\n]*/.exec(parsed.raw)?.[0] ?? '');
      const isHeader = next.byteOffset === 0;
      next = { byteOffset: startsAt + parsed.end, line: next.line + countLineBreaks(parsed.raw) };
      if (isHeader) continue;
      const raw = parsed.raw.replaceAll(/^[\r\n]+|[\r\n]+$/g, '');
      const problems = checkValues(parsed.values, columnCount, raw);
      const entries = problems.length > 0 ? [] : layout.readEntries(parsed.values, carry);
      yield { line, raw, entries, problems, next };
    }
    if (!failure) return;
    const { line, raw, isLong, after } = await readBrokenLine(path, next);
    next = after;
    const reason = isLong ? `line has more than ${maxRecordBytes} bytes` : sayWhy(failure);
    yield { line, raw, entries: [], problems: [problemWith('line', 'INVALID', reason)], next };
  }
}

async function* parseFrom(
  path: string,
  start: number,
  delimiter: string,
): AsyncGenerator<CsvRecord | { failure: CsvError }> {
  const records: CsvRecord[] = [];
  const parser = parse({
    ...dialect,
    bom: start === 0,
    delimiter,
    raw: true,
    // Taken here and not from the stream, which drops what was parsed before an error.
    on_record: (record: unknown, { raw = '', bytes }: InfoRecord) => {
      const { record: values } = record as { record: string[] };
      records.push({ values, raw, end: bytes });
      return null;
    },
  });
  const { promise: ended, resolve } = Promise.withResolvers<CsvError | null>();
  parser
    .once('error', resolve)
    .once('end', () => resolve(null))
    .resume();
  const write = (chunk: Buffer) =>
    Promise.race([new Promise<null>(done => parser.write(chunk, () => done(null))), ended]);
  for await (const chunk of createReadStream(path, { start, highWaterMark: 128 * 1_024 })) {
    const failure = await write(chunk);
    yield* records.splice(0);
    if (failure) return yield { failure };
  }
  parser.end();
  const failure = await ended;
  yield* records.splice(0);
  if (failure) yield { failure };
}

function countLineBreaks(text: string): number {
  return text.match(/\r\n?|\n/g)?.length ?? 0;
}

function checkValues(values: readonly string[], columnCount: number, raw: string) {
  if (values.length !== columnCount) {
    const message = `line has ${values.length} values; the file has ${columnCount} columns`;
    return [problemWith('line', 'INVALID', message)];
  }
  return raw.includes('\uFFFD')
    ? [problemWith('line', 'INVALID', 'line holds bytes that are not UTF-8; save the file as UTF-8')]
    : [];
}

function sayWhy({ code, message }: CsvError): string {
  if (code === 'CSV_QUOTE_NOT_CLOSED' || code === 'CSV_MAX_RECORD_SIZE') {
    return 'line has a quote that is not closed; close it, and write a quote within quotes twice';
  }
  if (code.includes('QUOTE')) {
    return 'line has a quote in the middle of a value; put such a value into quotes, and write a quote in it twice';
  }
  return `line cannot be read: ${message}`;
}

/** The text up to the next line break, which is as far as a line that is no CSV goes; of a long one its beginning. */
async function readBrokenLine(
  path: string,
  from: Position,
): Promise<{ line: number; raw: string; isLong: boolean; after: Position }> {
  const handle = await open(path);
  try {
    const buffer = Buffer.alloc(maxRecordBytes);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from.byteOffset);
    const text = buffer.subarray(0, bytesRead).toString('latin1');
    const [, before = '', content = ''] = /^([\r\n]*)([^\r\n]*)/.exec(text) ?? [];
    const start = before.length;
    const end = start + content.length;
    const isLong = content !== '' && end === buffer.length;
    const line = from.line + countLineBreaks(before);
    const byteOffset = await findNextLine(handle, from.byteOffset + end);
    const raw = buffer.subarray(start, end).toString('utf8');
    return { line, raw, isLong, after: { byteOffset, line: line + 1 } };
  } finally {
    await handle.close();
  }
}

/** Where the first line begins that does so behind that place; the file's end where none does. */
async function findNextLine(handle: FileHandle, from: number): Promise<number> {
  const buffer = Buffer.alloc(128 * 1_024);
  for (let at = from; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    const [all = '', content = '', lineBreak] =
      /^([^\r\n]*)(\r\n?|\n)?/.exec(buffer.toString('latin1', 0, bytesRead)) ?? [];
    // What follows a carriage return may be in what is read next.
    const isCut = lineBreak === '\r' && all.length === buffer.length;
    if (bytesRead === 0 || (lineBreak && !isCut)) return at + all.length;
    at += content.length;
  }
}
