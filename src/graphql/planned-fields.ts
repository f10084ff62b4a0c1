import type { GraphQLLeafType, GraphQLResolveInfo } from 'graphql';
import { PlanFailed } from './plan-failed.ts';
import type { Variables } from './planned-variables.ts';
import type { Condition } from './selections.ts';

// How a plan is executed: values are completed by functions that were put together beforehand.

export type KeepCalled = (called: Promise<unknown>) => void;

export type Data = Record<string, unknown>;

/** One execution. */
export interface Run {
  context: unknown;
  variables: Variables;
  /** What fields are given that depends on variables, by the field's number. */
  arguments: unknown[];
  keepCalled: KeepCalled;
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
  /** Null for what has selections of its own, or is a list. */
  leaf: Leaf | null;
  complete: Complete;
}

interface Leaf {
  type: GraphQLLeafType;
  isNullable: boolean;
}

export type Complete = (value: unknown, run: Run) => unknown;

export function required(value: unknown): unknown {
  if (value === null || value === undefined) throw new PlanFailed();
  return value;
}

export function refuseNull(complete: Complete): Complete {
  return (value, run) => {
    if (value === null || value === undefined || value instanceof Error) throw new PlanFailed();
    return complete(value, run);
  };
}

export function allowNull(complete: Complete): Complete {
  return (value, run) => {
    if (value === null || value === undefined) return null;
    if (value instanceof Error) throw new PlanFailed();
    return complete(value, run);
  };
}

export function planList(completeItem: Complete): Complete {
  return (values, run) => {
    if (!Array.isArray(values)) throw new PlanFailed();
    return completeAll(values, run, completeItem);
  };
}

function completeAll(values: unknown[], run: Run, complete: Complete): unknown[] | Promise<unknown[]> {
  const results: unknown[] = [];
  let parts: Promise<void>[] | undefined;
  try {
    for (let at = 0; at < values.length; at++) {
      const result = completeSoon(values[at], run, complete);
      results.push(result);
      if (isPromise(result)) parts = putLater(results, at, result, parts);
    }
  } catch (error) {
    forsake(parts);
    throw error;
  }
  return parts ? Promise.all(parts).then(() => results) : results;
}

/** Called once; whatever fails after that finds what was kept. */
export async function callAndKeep(field: PlannedField, source: unknown, run: Run): Promise<Data> {
  const { key, resolve, give, info, complete } = field;
  const given = give(run);
  const called = (async () => resolve(source, given, run.context, info))();
  run.keepCalled(called);
  return { [key]: await complete(await called, run) };
}

export function completeSoon(value: unknown, run: Run, complete: Complete): unknown {
  return isPromise(value) ? value.then(settled => complete(settled, run)) : complete(value, run);
}

/** Puts what comes of a promise where the promise stands until then. */
export function putLater(
  results: Record<PropertyKey, unknown> | unknown[],
  at: PropertyKey,
  result: Promise<unknown>,
  parts: Promise<void>[] = [],
): Promise<void>[] {
  const put = (settled: unknown) => {
    (results as Record<PropertyKey, unknown>)[at] = settled;
  };
  parts.push(result.then(put));
  return parts;
}

/** Nobody will look at them any more. */
export function forsake(parts: readonly Promise<void>[] = []): void {
  for (const part of parts) part.catch(() => {});
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
