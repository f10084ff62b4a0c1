import type { GraphQLLeafType, GraphQLResolveInfo } from 'graphql';
import { RowView } from '../data/row-views.ts';
import { type AnswerBytes, Written } from './answer-bytes.ts';
import { PlanFailed } from './plan-failed.ts';
import type { Variables } from './planned-variables.ts';
import type { FieldWriter, WriteRow } from './row-writer.ts';
import type { Condition } from './selections.ts';

// How a plan is executed: values are completed by functions that were put together beforehand.

export type KeepCalled = (called: Promise<unknown>) => void;

export type Data = Record<string, unknown>;

interface RunOptions {
  context: unknown;
  variables: Variables;
  keepCalled: KeepCalled;
  /** Where rows are written to; without, they become objects. */
  written: AnswerBytes | undefined;
}

/**
 * One execution. What comes later is put where it belongs when it comes, so that objects and lists need not wait for
 * their parts; the run waits for all.
 */
export class Run {
  readonly context: unknown;
  readonly variables: Variables;
  readonly keepCalled: KeepCalled;
  readonly written: AnswerBytes | undefined;
  /** What fields are given that depends on variables, by the field's number. */
  readonly arguments: unknown[] = [];
  readonly #whole = Promise.withResolvers<void>();
  #awaited = 0;
  #hasFailed = false;

  constructor({ context, variables, keepCalled, written }: RunOptions) {
    this.context = context;
    this.variables = variables;
    this.keepCalled = keepCalled;
    this.written = written;
    // Nobody waits for a run that failed before it had begun to wait.
    this.#whole.promise.catch(() => {});
  }

  /** Puts what a promise brings there, completed. */
  completeLater(
    results: Record<PropertyKey, unknown> | unknown[],
    at: PropertyKey,
    promise: Promise<unknown>,
    complete: Complete,
  ): void {
    this.#awaited++;
    const put = (value: unknown) => {
      if (this.#hasFailed) return;
      try {
        (results as Record<PropertyKey, unknown>)[at] = complete(value, this);
      } catch (error) {
        this.#fail(error);
      }
      if (--this.#awaited === 0) this.#whole.resolve();
    };
    promise.then(put, error => this.#fail(error));
  }

  /** The data when all of it is there; rejects when a part failed. */
  finish(data: Data): Data | Promise<Data> {
    const isWhole = this.#awaited === 0 && !this.#hasFailed;
    return isWhole ? data : this.#whole.promise.then(() => data);
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.#whole.reject(error);
  }
}

/** What graphql-js 16 tells a resolver; other libraries add members of their own to its type, for whoever loads them. */
export type FieldInfo = Pick<
  GraphQLResolveInfo,
  | 'fieldName'
  | 'fieldNodes'
  | 'returnType'
  | 'parentType'
  | 'path'
  | 'schema'
  | 'fragments'
  | 'rootValue'
  | 'operation'
  | 'variableValues'
>;

export interface PlannedField {
  key: string;
  isIncluded: Condition | null;
  /** The property of its source that it shows as it is; null where `resolve` is to be asked. */
  property: string | null;
  resolve: (source: unknown, given: object, context: unknown, info: FieldInfo) => unknown;
  give: (run: Run) => object;
  info: FieldInfo;
  /** Does without the resolver where a row is written; null where there is none. */
  writer: FieldWriter | null;
  /** Null for what has selections of its own, or is a list. */
  leaf: Leaf | null;
  complete: Complete;
}

interface Leaf {
  type: GraphQLLeafType;
  isNullable: boolean;
}

export interface Complete {
  (value: unknown, run: Run): unknown;
  /** Where the value may be a row that is written. */
  writeRow?: WriteRow;
}

export function required(value: unknown): unknown {
  if (value === null || value === undefined) throw new PlanFailed();
  return value;
}

export function refuseNull(complete: Complete): Complete {
  return withWriting(complete, (value, run) => {
    if (value === null || value === undefined || value instanceof Error) throw new PlanFailed();
    return complete(value, run);
  });
}

export function allowNull(complete: Complete): Complete {
  return withWriting(complete, (value, run) => {
    if (value === null || value === undefined) return null;
    if (value instanceof Error) throw new PlanFailed();
    return complete(value, run);
  });
}

function withWriting({ writeRow }: Complete, complete: Complete): Complete {
  return writeRow ? Object.assign(complete, { writeRow }) : complete;
}

/** A row is written where the run writes; whatever else there is, or there is none, becomes an object. */
export function planRow(complete: Complete, writeRow: WriteRow): Complete {
  const completeRow: Complete = (value, run) => {
    const { written } = run;
    if (!written || !(value instanceof RowView)) return complete(value, run);
    const from = written.length;
    writeRow(value, run, written);
    return new Written(from, written.length);
  };
  return Object.assign(completeRow, { writeRow });
}

export function planList(completeItem: Complete): Complete {
  const { writeRow } = completeItem;
  return (values, run) => {
    if (!Array.isArray(values)) throw new PlanFailed();
    const { written } = run;
    // An answer without rows is best left to JSON.stringify.
    if (written && writeRow && values.length > 0 && values.every(value => value instanceof RowView)) {
      return writeRows(values, writeRow, run, written);
    }
    return completeAll(values, run, completeItem);
  };
}

function writeRows(values: readonly RowView[], writeRow: WriteRow, run: Run, written: AnswerBytes): Written {
  const from = written.length;
  written.putAscii('[');
  for (let at = 0; at < values.length; at++) {
    if (at > 0) written.putAscii(',');
    writeRow(values[at] as RowView, run, written);
  }
  written.putAscii(']');
  return new Written(from, written.length);
}

function completeAll(values: unknown[], run: Run, complete: Complete): unknown[] {
  const results: unknown[] = Array(values.length).fill(null);
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (isPromise(value)) run.completeLater(results, at, value, complete);
    else results[at] = complete(value, run);
  }
  return results;
}

/** Called once; whatever fails after that finds what was kept. */
export async function callAndKeep(field: PlannedField, source: unknown, run: Run): Promise<Data> {
  const { key, resolve, give, info, complete } = field;
  const given = give(run);
  const called = (async () => resolve(source, given, run.context, info))();
  run.keepCalled(called);
  return { [key]: complete(await called, run) };
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
