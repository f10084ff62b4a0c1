import type { DocumentNode } from 'graphql';
import { createDocumentCache } from './document-cache.ts';
import { type CostLimits, createFindCost, type FindCost } from './operation-cost.ts';
import { createFindExcesses, type FindExcesses, type OperationLimits } from './operation-limits.ts';
import type { OnOperation } from './operation-watch.ts';
import { createPlans, type Plans } from './planned-execution.ts';
import { createTakeCharge, type TakeCharge, type ThrottleOptions } from './throttle.ts';
import { createRunQuery, type RunQuery } from './time-limit.ts';
import type { TrustedOptions } from './trusted-documents.ts';

export interface CheckOptions {
  operationLimits: OperationLimits & CostLimits & ThrottleOptions & { operationTimeoutMs: number };
  /** Null where none are set up. */
  trusted: TrustedOptions | null;
  onOperation: OnOperation;
}

/** What every operation goes through: in the ordinary way as plugins of Yoga, in the short way by itself. */
export interface OperationChecks {
  trusted: TrustedOptions | null;
  /** Parsed and validated, by their text. */
  documents: { get(query: string): DocumentNode | undefined };
  findExcesses: FindExcesses;
  findCost: FindCost;
  maxCost: number;
  takeCharge: TakeCharge;
  plans: Plans;
  runQuery: RunQuery;
  onOperation: OnOperation;
}

export function createOperationChecks({ operationLimits, trusted, onOperation }: CheckOptions) {
  const cache = createDocumentCache();
  const checks: OperationChecks = {
    trusted,
    documents: cache.documentCache,
    findExcesses: createFindExcesses(operationLimits),
    findCost: createFindCost(operationLimits),
    maxCost: operationLimits.maxCost,
    takeCharge: createTakeCharge(operationLimits),
    plans: createPlans(),
    runQuery: createRunQuery(operationLimits.operationTimeoutMs),
    onOperation,
  };
  return { cache, checks };
}
