// How rows come: "DataRow" of the PostgreSQL frontend/backend protocol, version 3, with values as text. A message is the
// letter D, its length in four bytes, the number of its columns in two, and for each column the length of its value in
// four, -1 for null, and the value. Numbers have the highest byte first; a message's length counts itself, not the letter.

export const dataRowLetter = 'D'.charCodeAt(0);
/** Of a message, whatever its kind: its letter and its length. */
export const headerBytes = 5;
/** Where the first column begins. */
const toFirstColumn = headerBytes + 2;

/** Rows of one answer as Postgres sent them. */
export class DataRows {
  /** Of values, null or each with its bytes. */
  static of(rows: readonly (readonly (Buffer | null)[])[]): DataRows {
    const made = new DataRows();
    for (const values of rows) made.add(writeDataRow(values), 0);
    return made;
  }

  /** What each row lies in, with others. */
  readonly buffers: Buffer[] = [];
  /** Where in it the first column of each begins. */
  readonly starts: number[] = [];

  get count(): number {
    return this.starts.length;
  }

  /** Of a message that begins there. */
  add(bytes: Buffer, at: number): void {
    this.buffers.push(bytes);
    this.starts.push(at + toFirstColumn);
  }
}

export function readInt32(bytes: Buffer, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** Behind the last column of the row whose first begins there. */
export function endOfRow(bytes: Buffer, start: number): number {
  return start - toFirstColumn + 1 + readInt32(bytes, start - toFirstColumn + 1);
}

export function countColumns(bytes: Buffer, start: number): number {
  return bytes.readUInt16BE(start - 2);
}

export function writeDataRow(values: readonly (Buffer | null)[]): Buffer {
  const parts = values.flatMap(value => [formatInt32(value?.length ?? -1), value ?? Buffer.alloc(0)]);
  const columns = Buffer.concat(parts);
  const header = Buffer.alloc(toFirstColumn);
  header[0] = dataRowLetter;
  header.writeInt32BE(toFirstColumn - 1 + columns.length, 1);
  header.writeUInt16BE(values.length, headerBytes);
  return Buffer.concat([header, columns]);
}

export function formatInt32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
