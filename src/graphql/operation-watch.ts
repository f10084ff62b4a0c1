import { GraphQLError, getOperationAST } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { inSpan, isTracing } from '../tracing.ts';
import type { Context } from './context.ts';

/**
 * `type`: query, mutation, subscription, or none for what never came to be one. `outcome`: ok, or the code of the first
 * error. `seconds`: null for a subscription, which goes on.
 */
export type OnOperation = (type: string, outcome: string, seconds: number | null) => void;

type Result = Parameters<NonNullable<Plugin['onResultProcess']>>[0]['result'];

interface Watched {
  startedAt: number;
  type: string;
}

/** Tells how each operation ended, and has a span for it. Must be the last that replaces how operations are executed. */
export function useOperationWatch(onOperation: OnOperation): Plugin<Context> {
  const watched = new WeakMap<Request, Watched>();
  return {
    onRequestParse({ request }) {
      watched.set(request, { startedAt: performance.now(), type: 'none' });
    },
    onExecute({ args, executeFn, setExecuteFn }) {
      const type = getOperationAST(args.document, args.operationName)?.operation ?? 'none';
      noteType(watched, args.contextValue.request, type);
      if (!isTracing()) return;
      setExecuteFn(given => inSpan(type, { 'graphql.operation.type': type }, async () => executeFn(given)));
    },
    onSubscribe({ args }) {
      noteType(watched, args.contextValue.request, 'subscription');
    },
    onResultProcess({ request, result }) {
      const { startedAt = performance.now(), type = 'none' } = watched.get(request) ?? {};
      const seconds = isAsyncIterable(result) ? null : (performance.now() - startedAt) / 1_000;
      onOperation(type, outcomeOf(result), seconds);
    },
  };
}

function noteType(watched: WeakMap<Request, Watched>, request: Request, type: string): void {
  const operation = watched.get(request);
  if (operation) operation.type = type;
}

function outcomeOf(result: Result): string {
  if (isAsyncIterable(result) || Array.isArray(result) || !result.errors?.length) return 'ok';
  const [error] = result.errors;
  return error instanceof GraphQLError ? String(error.extensions.code) : 'other';
}
