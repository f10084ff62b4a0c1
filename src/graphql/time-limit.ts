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
      const { stream, taken } = args.contextValue;
      if (taken?.ended) {
        setExecuteFn(() => Promise.reject(taken.ended));
        return;
      }
      const left = stream.signal;
      setExecuteFn((given: ExecutionArgs) =>
        runWithin(timeoutMs, left, signal => {
          const bounded: ExecutionArgs & { signal: AbortSignal } = { ...given, signal };
          return executeFn(bounded);
        }),
      );
    },
  };
}

/** Runs a read for as long as its client stays, and its time is not over; it is told by the signal, and rejects then. */
export async function runWithin<Result>(
  timeoutMs: number,
  left: AbortSignal,
  read: (signal: AbortSignal) => Result | Promise<Result>,
): Promise<Result> {
  const ending = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  ended.catch(() => {});
  const end = (reason: Error) => {
    ending.abort(reason);
    reject(reason);
  };
  const leave = () => end(new DOMException('The client left', 'AbortError'));
  const timer = setTimeout(() => end(tooLong(timeoutMs)), timeoutMs);
  if (left.aborted) leave();
  left.addEventListener('abort', leave, { once: true });
  try {
    const reading = runAbandonable(ending.signal, () => read(ending.signal));
    return await Promise.race([reading, ended]);
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
