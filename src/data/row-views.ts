import { type DataRows, readInt32 } from './data-rows.ts';
import { type Column, findReader, type ReadValue } from './row-values.ts';

// Rows of a statement. Most reads show a few of many columns, or write them into an answer as they came: their rows are
// views, which read a value when it is asked for.

/** What a statement selects under a name. */
export interface RowField {
  name: string;
  /** Makes what a row has of what the driver would have; null where that is the same. */
  decode: ((value: unknown) => unknown) | null;
}

export interface ViewField extends RowField {
  /** Which column it is, from 0. */
  index: number;
  /** The number that Postgres has for its type. */
  type: number;
}

/** A row whose properties are on its prototype: it has none of its own to spread. */
export abstract class RowView {
  readonly bytes: Buffer;
  /** Where in the bytes its first column begins. */
  readonly start: number;
  /** By the names of its properties; the same for all rows of a statement. */
  abstract readonly fields: ReadonlyMap<string, ViewField>;

  constructor(bytes: Buffer, start: number) {
    this.bytes = bytes;
    this.start = start;
  }
}

export type CreateRows<Row> = (rows: DataRows) => Row[];

/** Rows as objects, made by one literal, so that all have one hidden class: filling them by name costs ten times as much. */
export function compileRows<Row>(fields: readonly RowField[], columns: readonly Column[]): CreateRows<Row> {
  const readers = fields.map((field, at) => createReader(field, columns[at]));
  const reading = fields.map(
    (_field, at) => `
      length = readInt32(bytes, at);
      at += 4;
      const value${at} = length < 0 ? null : readers[${at}](bytes, at, at + length);
      if (length > 0) at += length;`,
  );
  const properties = fields.map(({ name }, at) => `${JSON.stringify(name)}: value${at}`);
  const source = `return (bytes, at) => { let length; ${reading.join('')} return { ${properties.join()} }; };`;
  const create = new Function('readers', 'readInt32', source)(readers, readInt32);
  return ({ buffers, starts }) => starts.map((start, row) => create(buffers[row], start));
}

export function compileViews<Row>(fields: readonly RowField[], columns: readonly Column[]): CreateRows<Row> {
  const known = fields.map((field, index) => ({ ...field, index, type: columns[index]?.type ?? 0 }));
  class View extends RowView {
    declare readonly fields: ReadonlyMap<string, ViewField>;
  }
  Object.defineProperty(View.prototype, 'fields', {
    value: new Map(known.map(field => [field.name, field])),
  });
  for (const field of known) {
    const read = createReader(field, columns[field.index]);
    Object.defineProperty(View.prototype, field.name, {
      get(this: RowView) {
        return readColumn(this, field.index, read);
      },
    });
  }
  return ({ buffers, starts }) =>
    starts.map((start, row) => new View(buffers[row] as Buffer, start)) as unknown as Row[];
}

function createReader({ name, decode }: RowField, column: Column | undefined): ReadValue {
  if (!column) throw new Error(`Postgres did not answer the column ${name}`);
  const read = findReader(column);
  return decode ? (bytes, from, to) => decode(read(bytes, from, to)) : read;
}

function readColumn({ bytes, start }: RowView, index: number, read: ReadValue): unknown {
  let at = start;
  for (let before = 0; before < index; before++) at += 4 + Math.max(readInt32(bytes, at), 0);
  const length = readInt32(bytes, at);
  return length < 0 ? null : read(bytes, at + 4, at + 4 + length);
}
