import { type ExecutionArgs, GraphQLError, getOperationAST } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { inSpan, isTracing } from '../tracing.ts';
import type { Context } from './context.ts';
import { describeTime, timeHeader } from './time-extension.ts';

/**
 * `type`: query, mutation, subscription, or none for what never came to be one. `outcome`: ok, or the code of the first
 * error. `seconds`: null for a subscription, which goes on.
 */
export type OnOperation = (type: string, outcome: string, seconds: number | null) => void;

type Result = Parameters<NonNullable<Plugin['onResultProcess']>>[0]['result'];

interface Watched {
  startedAt: number;
  /** Once it is read and checked. */
  executedAt: number;
  type: string;
}

/**
 * Tells how each operation ended, also its client if he asks, and has a span for it. Must be the last that replaces how
 * operations are executed. One plugin, for each hook costs every request.
 */
export function useOperationWatch(onOperation: OnOperation): Plugin<Context> {
  const watched = new WeakMap<Request, Watched>();
  const begin = (request: Request, { document, operationName }: ExecutionArgs): string => {
    const type = getOperationAST(document, operationName)?.operation ?? 'none';
    const operation = watched.get(request);
    if (operation) Object.assign(operation, { type, executedAt: performance.now() });
    return type;
  };
  return {
    onRequestParse({ request }) {
      const startedAt = performance.now();
      watched.set(request, { startedAt, executedAt: startedAt, type: 'none' });
    },
    onExecute({ args, executeFn, setExecuteFn }) {
      const type = begin(args.contextValue.request, args);
      if (!isTracing()) return;
      setExecuteFn(given => inSpan(type, { 'graphql.operation.type': type }, async () => executeFn(given)));
    },
    onSubscribe({ args }) {
      begin(args.contextValue.request, args);
    },
    onResultProcess({ request, result, setResult }) {
      const operation = watched.get(request);
      if (!operation) return;
      const { startedAt, executedAt, type } = operation;
      const now = performance.now();
      // A stream has no end that could be told.
      const hasEnded = !isAsyncIterable(result) && !Array.isArray(result);
      onOperation(type, outcomeOf(result), hasEnded ? (now - startedAt) / 1_000 : null);
      if (!hasEnded || !request.headers.get(timeHeader)) return;
      const time = describeTime(startedAt, executedAt, now);
      setResult({ ...result, extensions: { ...result.extensions, time } });
    },
  };
}

function outcomeOf(result: Result): string {
  if (isAsyncIterable(result) || Array.isArray(result) || !result.errors?.length) return 'ok';
  const [error] = result.errors;
  return error instanceof GraphQLError ? String(error.extensions.code) : 'other';
}
