import type { DocumentNode, ExecutionArgs, GraphQLSchema } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Context } from './context.ts';
import type { KeepCalled } from './planned-fields.ts';
import { type OperationPlan, planOperation } from './query-plan.ts';

/** Executes operations whose document came before by a plan; what has errors, and all else, in the ordinary way. */
export function usePlannedExecution(plans: Plans): Plugin<Context> {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const plan = plans.findOrMake(args.schema, args.document, args.operationName);
      // What the short way tried had an error.
      if (plan && !args.contextValue.taken) setExecuteFn(given => executePlan(plan, given, executeFn));
    },
  };
}

type Arguments = ExecutionArgs & { contextValue?: Context };

async function executePlan(
  plan: OperationPlan,
  args: Arguments,
  execute: (args: Arguments) => unknown,
): Promise<unknown> {
  const { variableValues, contextValue, rootValue } = args;
  const keepCalled: KeepCalled = called => {
    if (contextValue) contextValue.called = called;
  };
  try {
    return { data: await plan.execute(variableValues ?? {}, contextValue, rootValue, keepCalled) };
  } catch {
    // What was read by then is in the request's loaders, failures too, and read no second time; what was called is kept.
    return execute(args);
  }
}

/** Of documents that were found to be good, and executed. */
export interface Plans {
  /** A plan costs as much as some executions: it is made when a document comes for the second time. */
  findOrMake(
    schema: GraphQLSchema,
    document: DocumentNode,
    operationName?: string | null,
  ): OperationPlan | null;
  find(document: DocumentNode, operationName?: string | null): OperationPlan | null;
}

export function createPlans(): Plans {
  const plans = new WeakMap<DocumentNode, Map<string, OperationPlan | null>>();
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
      const plan = planOperation(schema, document, operationName);
      ofDocument.set(key, plan);
      return plan;
    },
    find: (document, operationName) => plans.get(document)?.get(operationName ?? '') ?? null,
  };
}
