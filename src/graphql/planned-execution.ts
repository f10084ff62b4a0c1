import type { DocumentNode, ExecutionArgs, GraphQLSchema } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Context } from './context.ts';
import { planQuery, type QueryPlan } from './query-plan.ts';

type BoundedArgs = ExecutionArgs & { signal?: AbortSignal };

/** Executes queries whose document came before by a plan; what has errors, and all else, in the ordinary way. */
export function usePlannedExecution(plans: Plans): Plugin<Context> {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const plan = plans.findOrMake(args.schema, args.document, args.operationName);
      if (plan) setExecuteFn((given: BoundedArgs) => executePlan(plan, given, executeFn));
    },
  };
}

function executePlan(plan: QueryPlan, args: BoundedArgs, execute: (args: ExecutionArgs) => unknown): unknown {
  const otherwise = () => {
    args.signal?.throwIfAborted();
    // What was read by then is in the request's loaders, and read no second time.
    return execute(args);
  };
  try {
    const data = plan.execute(args.variableValues ?? {}, args.contextValue, args.rootValue);
    if (!(data instanceof Promise)) return { data };
    return untilAborted(
      data.then(data => ({ data }), otherwise),
      args.signal,
    );
  } catch {
    return otherwise();
  }
}

/** Nobody waits longer for it; it comes to its own end. */
function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Of documents that were found to be good, and executed. */
export interface Plans {
  /** A plan costs as much as some executions: it is made when a document comes for the second time. */
  findOrMake(schema: GraphQLSchema, document: DocumentNode, operationName?: string | null): QueryPlan | null;
  find(document: DocumentNode, operationName?: string | null): QueryPlan | null;
}

export function createPlans(): Plans {
  const plans = new WeakMap<DocumentNode, Map<string, QueryPlan | null>>();
  return {
    findOrMake(schema, document, operationName) {
      const ofDocument = plans.get(document);
      if (!ofDocument) {
        plans.set(document, new Map());
        return null;
      }
      const key = operationName ?? '';
      const known = ofDocument.get(key);
      if (known !== undefined) return known;
      const plan = planQuery(schema, document, operationName);
      ofDocument.set(key, plan);
      return plan;
    },
    find: (document, operationName) => plans.get(document)?.get(operationName ?? '') ?? null,
  };
}
