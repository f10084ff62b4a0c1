import { type ExecutionArgs, GraphQLError, getOperationAST, OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { runAbandonable } from '../data/abandonment.ts';
import type { Context } from './context.ts';

/**
 * Ends the execution of queries whose client left or whose time is over: what is not read by then is not read any more;
 * a statement that runs may finish. Mutations go on to their end, so that nobody is told half of what they did: each
 * of their statements has a limit of its own.
 */
export function useTimeLimit(timeoutMs: number): Plugin<Context> {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const operation = getOperationAST(args.document, args.operationName);
      if (operation?.operation !== OperationTypeNode.QUERY) return;
      const left = args.contextValue.stream.signal;
      setExecuteFn((given: ExecutionArgs) =>
        runWithin(timeoutMs, left, signal => {
          const bounded: ExecutionArgs & { signal: AbortSignal } = { ...given, signal };
          return executeFn(bounded);
        }),
      );
    },
  };
}

/** Runs a read, whose signal is aborted when `left` is, or when its time is over. */
export async function runWithin<Result>(
  timeoutMs: number,
  left: AbortSignal,
  read: (signal: AbortSignal) => Result | Promise<Result>,
): Promise<Result> {
  const ending = new AbortController();
  const leave = () => ending.abort(new DOMException('The client left', 'AbortError'));
  const timer = setTimeout(() => ending.abort(tooLong(timeoutMs)), timeoutMs);
  if (left.aborted) leave();
  left.addEventListener('abort', leave, { once: true });
  try {
    return await runAbandonable(ending.signal, () => read(ending.signal));
  } finally {
    clearTimeout(timer);
    left.removeEventListener('abort', leave);
  }
}

function tooLong(timeoutMs: number): GraphQLError {
  return new GraphQLError(
    `The answer took longer than ${timeoutMs} ms and was given up; try again, or ask for less`,
    { extensions: { code: 'TIMEOUT', http: { status: 503, headers: { 'retry-after': '1' } } } },
  );
}
