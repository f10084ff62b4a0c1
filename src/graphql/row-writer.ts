import { type GraphQLEnumType, isEnumType } from 'graphql';
import { readInt32 } from '../data/data-rows.ts';
import type { RowView, ViewField } from '../data/row-views.ts';
import type { AnswerBytes } from './answer-bytes.ts';
import { failPlan } from './plan-failed.ts';
import { isPromise, type PlannedField, type Run } from './planned-fields.ts';
import { findWriteValue, type WriteValue } from './written-values.ts';

// Rows go into an answer without becoming objects first: their values are written one after the other as Postgres sent
// them. What takes computing is resolved as ever, and written between them.

/** @throws {PlanFailed} where a value is not as its type would have it */
export type WriteRow = (view: RowView, run: Run, out: AnswerBytes) => void;

/** The columns that a field's writer asked for, in its order. The same for all rows: it is filled anew for each. */
export interface RowColumns {
  bytes: Buffer;
  /** Where each value begins. */
  readonly from: number[];
  /** In bytes; -1 for null. */
  readonly lengths: number[];
}

/** False where the field's resolver is to be asked: nothing is written then. */
export type WriteField = (row: RowColumns, given: object, context: unknown, out: AnswerBytes) => boolean;

/** Beside a field's resolver, as the member `writer` of its extensions: writes the JSON of the same value. */
export interface FieldWriter {
  /** The properties of the row that it looks at, with Postgres' numbers of their types. */
  columns: Readonly<Record<string, number>>;
  /** One for each field of a plan and statement: most rows are given the same. */
  create(): WriteField;
}

/** Null for fields that are not all leaves, or may be left out. */
export function createRowWriter(fields: readonly PlannedField[]): WriteRow | null {
  if (fields.length === 0 || fields.some(({ leaf, isIncluded }) => !leaf || isIncluded)) return null;
  const compiled = new WeakMap<RowView['fields'], WriteRow>();
  return (view, run, out) => {
    let write = compiled.get(view.fields);
    if (!write) {
      write = compile(fields, view.fields);
      compiled.set(view.fields, write);
    }
    write(view, run, out);
  };
}

/** What the code is given, under these names. */
const tools = { readInt32, putAscii, failPlan, putComputed, putWritten };

function compile(fields: readonly PlannedField[], known: RowView['fields']): WriteRow {
  const columns = fields.map(field => findColumn(field, known));
  const places = fields.map((field, at) => (columns[at] ? null : findPlaces(field, known)));
  const last = Math.max(
    -1,
    ...columns.map(column => column?.field.index ?? -1),
    ...places.flatMap(own => own ?? []),
  );
  const keys = fields.map(
    ({ key, info }, at) =>
      `${at === 0 ? '{' : ','}"${key}":${isTypeName(info) ? `"${info.parentType}"` : ''}`,
  );
  const fixedRoom = keys.join('').length + fields.length * 32;
  // A column may be written more than once, under several names.
  const written = columns.flatMap(column => (column ? [`Math.max(length${column.field.index}, 0)`] : []));
  // Where each column's value is, up to the last that is looked at.
  const finding = Array.from(
    { length: last + 1 },
    (_, index) => `
      const length${index} = readInt32(bytes, place), from${index} = place + 4;
      place = from${index} + (length${index} > 0 ? length${index} : 0);`,
  );
  const writing = columns.map((column, at) => {
    const put = column
      ? writeColumn(column.field.index, at, fields[at])
      : writeComputed(at, fields[at], places[at] ?? null);
    return `at = putAscii(to, at, ${JSON.stringify(keys[at])}); ${put}`;
  });
  const source = `
    return (view, run, out) => {
      const bytes = view.bytes;
      let place = view.start;
      ${finding.join('')}
      const room = ${fixedRoom} + 6 * (${['0', ...written].join(' + ')});
      out.reserve(room);
      let to = out.bytes, at = out.length;
      ${writing.join('')}
      to[at++] = ${'}'.charCodeAt(0)};
      // Bytes beyond a buffer's end vanish without a word.
      if (at > to.length) throw new Error('There was no room for a row');
      out.length = at;
    };`;
  const given = {
    ...tools,
    fields,
    writers: columns.map(column => column?.write),
    fieldWriters: fields.map((field, at) => places[at] && field.writer?.create()),
    row: { bytes: noBytes, from: [], lengths: [] } satisfies RowColumns,
  };
  return new Function(...Object.keys(given), source)(...Object.values(given));
}

function findColumn(
  { property, leaf }: PlannedField,
  known: RowView['fields'],
): { field: ViewField; write: WriteValue } | null {
  const field = property === null ? undefined : known.get(property);
  if (!field || !leaf) return null;
  // Times are decoded to what they are written from.
  const isAsSent = !field.decode || leaf.type.name === 'DateTime';
  const isEnum = isEnumType(leaf.type);
  if (!isAsSent || (isEnum && !namesItsValues(leaf.type as GraphQLEnumType))) return null;
  const write = findWriteValue(leaf.type.name, isEnum, field.type);
  return write && { field, write };
}

/** The columns that a field's writer looks at; null where it cannot be asked. */
function findPlaces({ writer, leaf }: PlannedField, known: RowView['fields']): number[] | null {
  if (!writer || !leaf) return null;
  const places = Object.entries(writer.columns).flatMap(([name, type]) => {
    const field = known.get(name);
    return field && !field.decode && field.type === type ? field.index : [];
  });
  return places.length === Object.keys(writer.columns).length ? places : null;
}

function namesItsValues(type: GraphQLEnumType): boolean {
  return type.getValues().every(({ name, value }) => name === value);
}

function writeColumn(index: number, at: number, field: PlannedField | undefined): string {
  const onNull = field?.leaf?.isNullable ? `at = putAscii(to, at, 'null')` : 'failPlan()';
  return `
    if (length${index} < 0) ${onNull};
    else at = writers[${at}](to, at, bytes, from${index}, from${index} + length${index});`;
}

function isTypeName({ fieldName }: Pick<PlannedField['info'], 'fieldName'>): boolean {
  return fieldName === '__typename';
}

/** The bytes may be others then; there must still be room for the columns. */
function writeComputed(
  at: number,
  field: PlannedField | undefined,
  places: readonly number[] | null,
): string {
  if (!field || isTypeName(field.info)) return '';
  const filling = places?.map(
    (index, place) => `row.from[${place}] = from${index}; row.lengths[${place}] = length${index};`,
  );
  const put = filling
    ? `row.bytes = bytes; ${filling.join(' ')} putWritten(fieldWriters[${at}], row, fields[${at}], view, run, out);`
    : `putComputed(fields[${at}], view, run, out);`;
  return `
    out.length = at;
    ${put}
    out.reserve(room);
    to = out.bytes;
    at = out.length;`;
}

function putAscii(to: Buffer, start: number, text: string): number {
  for (let at = 0; at < text.length; at++) to[start + at] = text.charCodeAt(at);
  return start + text.length;
}

const noBytes = Buffer.alloc(0);

function putWritten(
  write: WriteField,
  row: RowColumns,
  field: PlannedField,
  view: RowView,
  run: Run,
  out: AnswerBytes,
): void {
  if (!write(row, field.give(run), run.context, out)) putComputed(field, view, run, out);
  // Plans are kept; the bytes of an answer need not be.
  row.bytes = noBytes;
}

function putComputed(field: PlannedField, view: RowView, run: Run, out: AnswerBytes): void {
  const { leaf, info } = field;
  const value = field.resolve(view, field.give(run), run.context, info);
  if (isPromise(value) || value instanceof Error) failPlan();
  if (value === null || value === undefined) {
    if (leaf?.isNullable !== true) failPlan();
    out.putJson(null);
    return;
  }
  out.putJson(leaf?.type.serialize(value) ?? failPlan());
}
