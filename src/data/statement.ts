import { type AnyColumn, Column, is, noopDecoder, Param, Placeholder, SQL } from 'drizzle-orm';
import { PgCustomColumn, PgDialect, PgDoublePrecision, PgInteger, PgTimestamp } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/postgres-js';
import type { Connection, Database } from './database.ts';
import { type CreateRows, compileRows, compileViews, type RowField } from './row-views.ts';
import type { Session } from './session.ts';
import { parseUtcTime } from './time-text.ts';

// Drizzle builds and decodes for the connection that it was asked on, and a transaction is a connection of its own. What a
// statement says and what its rows mean depends on neither, so both are worked out once for the process, by Drizzle's
// own columns. Drizzle's decoding would cost more than all else.

/** Runs on a connection or in a transaction alike. Names of `parameters` are those of the placeholders. */
export type Statement<Row> = (db: Connection, parameters: Parameters) => Promise<Row[]>;

type Parameters = Readonly<Record<string, unknown>>;

/** A query that Drizzle has prepared, or SQL, whose rows are as the driver has them. */
type Query<Row> = { execute(parameters?: Record<string, unknown>): Promise<Row[]> } | SQL<Row>;

/** A statement that is built when it is first run; what it selects has one name each. */
export function statement<Row>(build: (db: Database) => Query<Row>): Statement<Row> {
  const ofShape = statementByShape(build);
  return (db, parameters) => ofShape(db, noChoice, parameters);
}

const noChoice = {};

/** `shape` is what its text depends on. */
export type ShapedStatement<Shape, Row> = (
  db: Connection,
  shape: Shape,
  parameters: Parameters,
) => Promise<Row[]>;

/**
 * A statement whose text depends on a few choices: built once for each.
 * `shape` has the choices as primitive values, always in the same order.
 */
export function statementByShape<Shape extends object, Row>(
  build: (db: Database, shape: Shape) => Query<Row>,
): ShapedStatement<Shape, Row> {
  return buildByShape<Shape, Row>(build, compileRows);
}

/** Likewise, for what reads to show it: its rows are views, which must not be spread. */
export function viewsByShape<Shape extends object, Row>(
  build: (db: Database, shape: Shape) => Query<Row>,
): ShapedStatement<Shape, Row> {
  return buildByShape<Shape, Row>(build, compileViews);
}

function buildByShape<Shape extends object, Row>(
  build: (db: Database, shape: Shape) => Query<Row>,
  compile: typeof compileRows<Row>,
): ShapedStatement<Shape, Row> {
  const built = new Map<string, Statement<Row>>();
  return (db, shape, parameters) => {
    const key = Object.values(shape).join();
    const known = built.get(key);
    if (known) return known(db, parameters);
    const run = translate(build(builder(), shape), compile);
    built.set(key, run);
    return run(db, parameters);
  };
}

/** One that builds and cannot run anything. */
const builder = (): Database => drizzle.mock() as Database;

/** What Drizzle's prepared statements hold, and its types do not tell. */
interface Internals {
  queryString: string;
  params: unknown[];
  /** None where nothing is selected or returned by columns. */
  fields?: { path: string[]; field: unknown }[];
}

function translate<Row>(query: Query<Row>, compile: typeof compileRows<Row>): Statement<Row> {
  const { queryString, params, fields } = readQuery(query);
  const givers = params.map(createGiver);
  const give = (parameters: Parameters) => givers.map(giver => giver(parameters));
  if (!fields) {
    return async (db, parameters) => (await sessionOf(db).unsafe(queryString, give(parameters))) as Row[];
  }
  const rowFields = fields.map(describeField);
  let create: CreateRows<Row> | undefined;
  return async (db, parameters) => {
    const { rows, columns } = await sessionOf(db).query(queryString, give(parameters));
    if (rows.count === 0) return [];
    // Only an answer tells the types of its columns; they are the same each time.
    create ??= compile(rowFields, columns);
    return create(rows);
  };
}

function readQuery(query: Query<unknown>): Internals {
  if (!is(query, SQL)) return query as Query<unknown> & Internals;
  const { sql: queryString, params } = new PgDialect().sqlToQuery(query);
  return { queryString, params };
}

/** Drizzle's transactions and its database have one each. */
function sessionOf(db: Connection): Session {
  return (db as unknown as { session: { client: Session } }).session.client;
}

type Giver = (parameters: Parameters) => unknown;

/** As Drizzle fills its placeholders. */
function createGiver(parameter: unknown): Giver {
  if (is(parameter, Placeholder)) return parameters => take(parameters, parameter.name);
  if (is(parameter, Param) && is(parameter.value, Placeholder)) {
    const { encoder, value } = parameter;
    return parameters => encoder.mapToDriverValue(take(parameters, value.name));
  }
  return () => parameter;
}

function take(parameters: Parameters, name: string): unknown {
  const value = parameters[name];
  if (value === undefined) throw new Error(`No value was given for the placeholder ${name}`);
  return value;
}

function describeField({ path, field }: NonNullable<Internals['fields']>[number]): RowField {
  const [name, ...deeper] = path;
  if (name === undefined || deeper.length > 0) {
    throw new Error(`${path.join('.')} is selected; a statement's columns have one name each`);
  }
  return { name, decode: findDecode(field) };
}

type Decode = RowField['decode'];

/** Null where the driver's value is the row's. */
function findDecode(field: unknown): Decode {
  if (is(field, Column)) return findColumnDecode(field);
  const { decoder } = (is(field, SQL) ? field : (field as { sql: SQL }).sql) as unknown as {
    decoder: { mapFromDriverValue: (value: unknown) => unknown };
  };
  return decoder === noopDecoder ? null : value => decoder.mapFromDriverValue(value);
}

function findColumnDecode(column: AnyColumn): Decode {
  if (isAsDriven(column)) return null;
  const decode = (value: unknown) => column.mapFromDriverValue(value);
  return is(column, PgTimestamp) ? value => parseUtcTime(String(value)) ?? decode(value) : decode;
}

/** Whether rows have what the driver has: numbers are numbers there already, and bytes are hex. */
function isAsDriven(column: AnyColumn): boolean {
  if (is(column, PgInteger) || is(column, PgDoublePrecision)) return true;
  if (is(column, PgCustomColumn)) return column.getSQLType() === 'bytea' || !hasDecoder(column);
  return column.mapFromDriverValue === Column.prototype.mapFromDriverValue;
}

/** What its type leaves private. */
function hasDecoder(column: AnyColumn): boolean {
  return typeof (column as unknown as { mapFrom: unknown }).mapFrom === 'function';
}
