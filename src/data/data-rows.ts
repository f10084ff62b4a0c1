// How rows come: "DataRow" of the PostgreSQL frontend/backend protocol, version 3, with values as text. A message is the
// letter D, its length in four bytes, the number of its columns in two, and for each column the length of its value in
// four, -1 for null, and the value. Numbers have the highest byte first; a message's length counts itself, not the letter.

export const dataRowLetter = 'D'.charCodeAt(0);
/** Of a message, whatever its kind: its letter and its length. */
export const headerBytes = 5;
/** From the beginning of a row's message to its first column. */
export const toFirstColumn = headerBytes + 2;

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

export function countColumns(bytes: Buffer, start: number): number {
  return bytes.readUInt16BE(start - 2);
}

/** A message of these values. */
export function writeDataRow(values: readonly (Buffer | null)[]): Buffer {
  const byteCount = values.reduce((sum, value) => sum + 4 + (value?.length ?? 0), toFirstColumn);
  const bytes = startDataRow(byteCount, values.length);
  let at = toFirstColumn;
  for (const value of values) {
    at = bytes.writeInt32BE(value?.length ?? -1, at);
    if (value) at += value.copy(bytes, at);
  }
  return bytes;
}

/** A message whose first value is that number in four bytes, all others null. */
export function writeNumberedRow(number: number, columnCount: number): Buffer {
  const bytes = startDataRow(toFirstColumn + 4 + 4 * columnCount, columnCount);
  bytes.writeInt32BE(number, bytes.writeInt32BE(4, toFirstColumn));
  return bytes;
}

/** With a length of -1 wherever one may be. */
function startDataRow(byteCount: number, columnCount: number): Buffer {
  const bytes = Buffer.allocUnsafe(byteCount).fill(0xff);
  bytes[0] = dataRowLetter;
  bytes.writeInt32BE(byteCount - 1, 1);
  bytes.writeUInt16BE(columnCount, headerBytes);
  return bytes;
}
