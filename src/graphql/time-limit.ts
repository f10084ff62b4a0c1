import { type ExecutionArgs, GraphQLError, getOperationAST, OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { Abandonment, runAbandonable } from '../data/abandonment.ts';
import { createTurns } from '../data/waiting-line.ts';
import type { Context } from './context.ts';

/**
 * Ends the execution of queries whose client left or whose time is over: what is not read by then is not read any more;
 * a statement that runs may finish. Mutations go on to their end, so that nobody is told half of what they did: each
 * of their statements has a limit of its own.
 */
export function useTimeLimit(runQuery: RunQuery): Plugin<Context> {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const operation = getOperationAST(args.document, args.operationName);
      if (operation?.operation !== OperationTypeNode.QUERY) return;
      const { stream, taken, operationCost: cost = 0 } = args.contextValue;
      if (taken?.ended) {
        setExecuteFn(() => Promise.reject(taken.ended));
        return;
      }
      setExecuteFn((given: ExecutionArgs) => {
        const abandonment = new Abandonment();
        const onLeft = (leave: () => void) => onAborted(stream.signal, leave);
        return runQuery({ cost, abandonment, onLeft }, () => {
          const bounded: ExecutionArgs & { signal: AbortSignal } = {
            ...given,
            signal: toSignal(abandonment),
          };
          return executeFn(bounded);
        });
      });
    },
  };
}

export interface RunningQuery {
  cost: number;
  /** Given up when the client leaves, its time is over or it gets no turn. */
  abandonment: Abandonment;
  /** Calls when the client leaves; answers how to make it stop. */
  onLeft: (leave: () => void) => () => void;
}

/** Runs a query until it is given up; rejects then. Large ones take turns. */
export type RunQuery = <Result>(
  query: RunningQuery,
  execute: () => Result | Promise<Result>,
) => Promise<Result>;

/** Of a query that takes turns: fields that its answer could have. */
const largeCost = 500;
/**
 * What each has read is kept until it is answered. With more at once the garbage collector copies that again and again,
 * and the processors of the database change between them, while each takes longer.
 */
const largeAtOnce = 7;
const turnOptions = { waitMs: 1_000, maxWaiting: 1_000 };

export function createRunQuery(timeoutMs: number): RunQuery {
  const takeTurn = createTurns(largeAtOnce, turnOptions, tooMuch);
  return async ({ cost, abandonment, onLeft }, execute) => {
    const timer = setTimeout(() => abandonment.abandon(tooLong(timeoutMs)), timeoutMs);
    const stop = onLeft(() => abandonment.abandon(new DOMException('The client left', 'AbortError')));
    const giveUp = (reason: Error) => {
      abandonment.abandon(reason);
      throw reason;
    };
    const executeInTurn = async () => {
      const endTurn = cost < largeCost ? null : await takeTurn().catch(giveUp);
      try {
        return await execute();
      } finally {
        endTurn?.();
      }
    };
    try {
      return await abandonment.race(runAbandonable(abandonment, executeInTurn));
    } finally {
      clearTimeout(timer);
      stop();
    }
  };
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
  return comeBack(
    'TIMEOUT',
    `The answer took longer than ${timeoutMs} ms and was given up; try again, or ask for less`,
  );
}

function tooMuch(): GraphQLError {
  return comeBack(
    'SERVICE_UNAVAILABLE',
    'There is more to do than can be answered in time; try again, or ask for less at a time',
  );
}

function comeBack(code: string, message: string): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code, http: { status: 503, headers: { 'retry-after': '1' } } },
  });
}
