import { Socket } from 'node:net';
import {
  countColumns,
  DataRows,
  dataRowLetter,
  headerBytes,
  readInt32,
  toFirstColumn,
  writeNumberedRow,
} from './data-rows.ts';

// The driver makes a buffer of each message, an array of each row, and a string of each value: five times the work that
// it takes to write what Postgres sent into an answer. So rows are taken out of what a connection receives before the
// driver sees it. It gets one row for all of an answer, whose first value is a number: under that they are to be had.

/** Rows that were taken out, and that nobody has fetched yet. */
export class RowsAside {
  readonly #rows = new Map<number, DataRows>();
  #last = 0;

  /** Answers the number that they can be taken by, once. */
  put(rows: DataRows): number {
    // The driver has a number of four bytes.
    this.#last = (this.#last + 1) | 0;
    this.#rows.set(this.#last, rows);
    return this.#last;
  }

  get size(): number {
    return this.#rows.size;
  }

  drop(number: number): void {
    this.#rows.delete(number);
  }

  /** Of what the driver makes of the row that stands for all, each value a buffer. */
  take([first]: readonly (Buffer | null)[]): DataRows {
    const number = first?.length === 4 ? first.readInt32BE() : Number.NaN;
    const rows = this.#rows.get(number);
    if (!rows) throw new Error(`No rows are kept under ${number}`);
    this.#rows.delete(number);
    return rows;
  }
}

const letters = {
  commandComplete: 'C'.charCodeAt(0),
  errorResponse: 'E'.charCodeAt(0),
  readyForQuery: 'Z'.charCodeAt(0),
};

/** Takes the rows out of what it receives; all else it emits as it comes. For connections that are not encrypted. */
export class RowSocket extends Socket {
  readonly #aside: RowsAside;
  /** Of the answer that is coming in. */
  #rows: DataRows | null = null;
  /** What the rows of a statement were put aside under that may still fail, as it ends; 0 for none. */
  #unsettled = 0;
  /** The beginning of a message whose end has not come. */
  #begun: Buffer[] = [];
  #begunBytes = 0;
  #neededBytes = 0;

  constructor(aside: RowsAside) {
    super();
    this.#aside = aside;
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'data') return super.emit(event, ...args);
    const received = this.#complete(args[0] as Buffer);
    if (received) this.#sift(received);
    return true;
  }

  /** What came, behind what had begun before; null while not even that is whole. */
  #complete(received: Buffer): Buffer | null {
    if (this.#begunBytes === 0) return received;
    this.#begun.push(received);
    this.#begunBytes += received.length;
    if (this.#begunBytes < this.#neededBytes) return null;
    const whole = Buffer.concat(this.#begun, this.#begunBytes);
    this.#begun = [];
    this.#begunBytes = 0;
    return whole;
  }

  #sift(bytes: Buffer): void {
    let at = 0;
    let passed = 0;
    let needed = headerBytes;
    while (at + headerBytes <= bytes.length) {
      const length = readInt32(bytes, at + 1);
      if (length < (bytes[at] === dataRowLetter ? toFirstColumn - 1 : headerBytes - 1)) {
        this.destroy(new Error(`A message of ${length} bytes came from the database`));
        return;
      }
      const end = at + 1 + length;
      needed = end - at;
      if (end > bytes.length) break;
      const letter = bytes[at];
      // Rows without columns have no place for a number; nothing is gained with them either.
      if (letter === dataRowLetter && countColumns(bytes, at + toFirstColumn) > 0) {
        this.#pass(bytes, passed, at);
        passed = end;
        this.#rows ??= new DataRows();
        this.#rows.add(bytes, at);
      } else if (letter === letters.commandComplete) {
        this.#pass(bytes, passed, at);
        passed = at;
        this.#finishRows();
      } else if (letter === letters.errorResponse) {
        this.#forgetRows();
      } else if (letter === letters.readyForQuery) {
        this.#unsettled = 0;
      }
      at = end;
      needed = headerBytes;
    }
    this.#pass(bytes, passed, at);
    if (at === bytes.length) return;
    this.#begun = [bytes.subarray(at)];
    this.#begunBytes = bytes.length - at;
    this.#neededBytes = needed;
  }

  #pass(bytes: Buffer, from: number, to: number): void {
    if (from < to) super.emit('data', bytes.subarray(from, to));
  }

  #finishRows(): void {
    const [bytes] = this.#rows?.buffers ?? [];
    const [start] = this.#rows?.starts ?? [];
    if (!this.#rows || !bytes || start === undefined) return;
    this.#unsettled = this.#aside.put(this.#rows);
    this.#rows = null;
    super.emit('data', writeNumberedRow(this.#unsettled, countColumns(bytes, start)));
  }

  /** Nobody will ask for those of a statement that failed. */
  #forgetRows(): void {
    this.#rows = null;
    this.#aside.drop(this.#unsettled);
  }
}
