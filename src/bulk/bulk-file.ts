import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { UserError } from '../errors.ts';
import { parseHeader } from './csv-lines.ts';
import type { Entry, Layout, LayoutOptions } from './entry.ts';
import { chooseLayout } from './layouts.ts';

/** Where reading goes on: `line` is the number of the line that begins at `byteOffset`, from 1. */
export interface Position {
  byteOffset: number;
  line: number;
}

/** One record of a file, on one line or, with quoted line breaks, several. */
export interface BulkLine {
  line: number;
  raw: string;
  entries: Entry[];
  /** What is wrong with the line as a whole; it has no entries then. */
  problems: UserError[];
  /** Where the next one begins. */
  next: Position;
}

/** What is known of a file before its lines are read. */
export interface BulkFile {
  path: string;
  byteSize: number;
  /** The same for the same file read in the same way; an import that broke off is found by it. */
  key: string;
  /** Null for NDJSON. */
  csv: { delimiter: string; columnCount: number; layout: Layout } | null;
}

const headBytes = 1_000_000;

/** Looks at a file's first bytes. Throws where it cannot be read, or is no table of images. */
export async function inspectBulkFile(path: string, options: LayoutOptions): Promise<BulkFile> {
  const found = await stat(path).catch(error => {
    throw new Error(
      `${path} cannot be read: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`,
    );
  });
  if (found.isDirectory()) throw new Error(`${path} cannot be read: it is a folder; give a file`);
  const { size, mtimeMs } = found;
  const head = await readHead(path);
  checkEncoding(head, path);
  const csv = isJson(path, head) ? null : inspectCsv(head.toString('utf8'), options);
  const hash = createHash('sha256');
  hash.update(JSON.stringify([size, mtimeMs, options.productIdColumn])).update(head);
  return { path, byteSize: size, key: hash.digest('hex'), csv };
}

async function readHead(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    const buffer = Buffer.alloc(headBytes);
    const { bytesRead } = await handle.read(buffer, 0, headBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function checkEncoding(head: Buffer, path: string): void {
  // A character may be cut at the end of the head.
  const isText = [0, 1, 2, 3].some(cut => isUtf8(head.subarray(0, head.length - cut)));
  if (!isText || head.includes(0)) throw new Error(`${path} is not UTF-8 text; save it as UTF-8`);
}

/** By its name, else by what it begins with. */
function isJson(path: string, head: Buffer): boolean {
  const extension = extname(path).toLowerCase();
  if (['.ndjson', '.jsonl'].includes(extension)) return true;
  if (['.csv', '.tsv'].includes(extension)) return false;
  return /^\uFEFF?\s*\{/.test(head.subarray(0, 1_000).toString('utf8'));
}

function inspectCsv(head: string, options: LayoutOptions) {
  const delimiter = detectDelimiter(head);
  const headers = parseHeader(head, delimiter);
  return { delimiter, columnCount: headers.length, layout: chooseLayout(headers, options) };
}

/** Whichever of comma, semicolon and tab parts most headers. */
function detectDelimiter(head: string): string {
  const [firstLine = ''] = head.replaceAll(/"[^"]*"/g, '').split(/\r|\n/, 1);
  const counts = [',', ';', '\t'].map(delimiter => ({
    delimiter,
    count: firstLine.split(delimiter).length,
  }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).delimiter;
}
