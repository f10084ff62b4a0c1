import { Column, is, SQL } from 'drizzle-orm';

/** A column of a statement's answer, as a prepared statement of Drizzle has it. */
interface Field {
  path: string[];
  field: unknown;
}

type Row = Record<string, unknown>;

/**
 * Makes rows of what the driver brings, as Drizzle does, but asks once and not for every value what is to be done with
 * it. Null where rows have parts of their own.
 */
export function createRowReader(fields: readonly Field[]): ((rows: unknown[][]) => Row[]) | null {
  if (fields.some(({ path }) => path.length !== 1)) return null;
  const columns = fields.map(({ path, field }) => ({ name: path[0] ?? '', decode: createDecode(field) }));
  const read = (values: unknown[]) => {
    const row: Row = {};
    let index = 0;
    for (const { name, decode } of columns) {
      const value = values[index++];
      row[name] = value === null || decode === null ? value : decode(value);
    }
    return row;
  };
  return rows => rows.map(read);
}

/** Null where a value stays as it is. */
function createDecode(field: unknown): ((value: unknown) => unknown) | null {
  const decoder = is(field, Column) ? field : decoderOf(field);
  if (decoder.mapFromDriverValue === Column.prototype.mapFromDriverValue) return null;
  return value => decoder.mapFromDriverValue(value);
}

function decoderOf(field: unknown): Pick<Column, 'mapFromDriverValue'> {
  const expression = is(field, SQL) ? field : (field as { sql: SQL }).sql;
  return (expression as unknown as { decoder: Column }).decoder;
}
