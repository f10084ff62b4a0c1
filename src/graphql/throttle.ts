import { type ExecutionResult, GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { findAccount, type Requests } from '../access/account.ts';
import { createTokenBuckets, type Taking, type TokenBuckets } from '../access/token-bucket.ts';
import type { Context } from './context.ts';

export interface ThrottleOptions {
  /** What comes back of the cost that a credential has spent; 0: it may spend any. */
  costPerSecond: number;
  /** What a credential may spend in a rush. */
  costBurst: number;
  /** The same for all strangers of one network. */
  strangerCostPerSecond: number;
  strangerCostBurst: number;
  /** How many proxies stand before the service, whose word on a client's address is taken. */
  trustedProxies: number;
}

/** What came of taking an operation's cost from its caller's bucket. */
export interface Charge {
  /** What the answer says of it. */
  extensions: Record<string, unknown>;
  /** The answer where there was less in the bucket. */
  refusal: ExecutionResult | null;
}

/** Null for callers who may spend any. */
export type TakeCharge = (context: Pick<Context, 'caller' | 'operationCost'> & Requests) => Charge | null;

export function createTakeCharge(options: ThrottleOptions): TakeCharge {
  const ofCredentials = openBuckets(options.costBurst, options.costPerSecond);
  const ofStrangers = openBuckets(options.strangerCostBurst, options.strangerCostPerSecond);
  return ({ caller, operationCost = 1, ...requests }) => {
    const buckets = caller.isStranger ? ofStrangers : ofCredentials;
    const account = buckets && findAccount(caller, requests, options.trustedProxies);
    if (!buckets || account === null) return null;
    const taking = buckets.take(account, operationCost);
    const extensions = { cost: describeCost(operationCost, buckets, taking) };
    const error = taking.isTaken ? null : explain(operationCost, buckets, taking);
    return { extensions, refusal: error && { errors: [error], extensions } };
  };
}

/** Bounds the cost that a caller's operations have together; each pays beforehand, whether it succeeds or not. */
export function useThrottle(takeCharge: TakeCharge): Plugin<Context> {
  const charge = (context: Context) => (context.taken ? context.taken.charge : takeCharge(context));
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const charged = charge(args.contextValue);
      if (!charged) return undefined;
      const { extensions, refusal } = charged;
      if (refusal) {
        setResultAndStopExecution(refusal);
        return undefined;
      }
      return {
        onExecuteDone({ result, setResult }) {
          if (!isAsyncIterable(result)) setResult(addExtensions(result, extensions));
        },
      };
    },
    // Its events cost nothing more: how often they come is not the subscriber's doing.
    onSubscribe({ args, setResultAndStopExecution }) {
      const refusal = charge(args.contextValue)?.refusal;
      if (refusal) setResultAndStopExecution(refusal);
    },
  };
}

function openBuckets(capacity: number, perSecond: number): TokenBuckets | null {
  return perSecond === 0 ? null : createTokenBuckets({ capacity, perSecond });
}

function addExtensions(result: ExecutionResult, extensions: object): ExecutionResult {
  return { ...result, extensions: { ...result.extensions, ...extensions } };
}

/** In the words of Shopify's API, which clients may know. */
function describeCost(cost: number, { capacity, perSecond }: TokenBuckets, { left }: Taking) {
  return {
    requestedQueryCost: cost,
    throttleStatus: {
      maximumAvailable: capacity,
      currentlyAvailable: Math.floor(left),
      restoreRate: perSecond,
    },
  };
}

function explain(
  cost: number,
  { capacity, perSecond }: TokenBuckets,
  { left, waitMs }: Taking,
): GraphQLError {
  const count = (number: number) => Math.floor(number).toLocaleString('en');
  const costs = `The operation costs ${count(cost)}`;
  if (waitMs === Number.POSITIVE_INFINITY) {
    return new GraphQLError(
      `${costs}; at most ${count(capacity)} may be spent at once. Ask for less at a time`,
      {
        extensions: { code: 'OPERATION_TOO_COSTLY', http: { spec: true, status: 400 } },
      },
    );
  }
  const seconds = Math.max(Math.ceil(waitMs / 1_000), 1);
  return new GraphQLError(
    `${costs}, and ${count(left)} of ${count(capacity)} are left; ${count(perSecond)} come back each second, so try again in ${seconds} s`,
    { extensions: { code: 'THROTTLED', http: { status: 429, headers: { 'retry-after': String(seconds) } } } },
  );
}
