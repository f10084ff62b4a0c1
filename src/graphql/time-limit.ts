import { type ExecutionArgs, GraphQLError, getOperationAST, OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { Abandonment, runAbandonable } from '../data/abandonment.ts';
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
        runWithin(
          timeoutMs,
          leave => onAborted(left, leave),
          abandonment => {
            const bounded: ExecutionArgs & { signal: AbortSignal } = {
              ...given,
              signal: toSignal(abandonment),
            };
            return executeFn(bounded);
          },
        ),
      );
    },
  };
}

/**
 * Runs a read for as long as its client stays, and its time is not over; rejects then. `onLeft` calls when the client
 * leaves, and answers how to make it stop.
 */
export async function runWithin<Result>(
  timeoutMs: number,
  onLeft: (leave: () => void) => () => void,
  read: (abandonment: Abandonment) => Result | Promise<Result>,
): Promise<Result> {
  const abandonment = new Abandonment();
  const timer = setTimeout(() => abandonment.abandon(tooLong(timeoutMs)), timeoutMs);
  const stop = onLeft(() => abandonment.abandon(new DOMException('The client left', 'AbortError')));
  try {
    const reading = runAbandonable(abandonment, async () => read(abandonment));
    return await abandonment.race(reading);
  } finally {
    clearTimeout(timer);
    stop();
  }
}

function onAborted(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) listener();
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

function toSignal(abandonment: Abandonment): AbortSignal {
  const controller = new AbortController();
  abandonment.onAbandoned(reason => controller.abort(reason));
  return controller.signal;
}

function tooLong(timeoutMs: number): GraphQLError {
  return new GraphQLError(
    `The answer took longer than ${timeoutMs} ms and was given up; try again, or ask for less`,
    { extensions: { code: 'TIMEOUT', http: { status: 503, headers: { 'retry-after': '1' } } } },
  );
}
