import { RequestCache } from '@pothos/plugin-scope-auth';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import type { Client } from '../access/client-address.ts';
import { Abandonment } from '../data/abandonment.ts';
import type { Loaders } from '../data/loaders.ts';
import { AnswerBytes, formatAnswer } from './answer-bytes.ts';
import type { Context } from './context.ts';
import { findReadingOf } from './image-columns.ts';
import type { OperationChecks } from './operation-checks.ts';
import type { OperationPlan } from './query-plan.ts';
import type { Charge } from './throttle.ts';
import { findDocument, type TrustedOptions } from './trusted-documents.ts';

/** `answer`: as JSON. Null: the ordinary way answers, which takes over what was `taken`, if anything was. */
export interface KnownOutcome {
  answer: string | Buffer | null;
  taken?: Taken;
}

/** What the short way did before it gave an operation up. */
export interface Taken {
  charge: Charge | null;
  /** With what was read, and what could not be. */
  loaders: Loaders;
  /** As the context has it. */
  called?: Promise<unknown> | undefined;
  /** Why it was given up: its time is over, the client left, or there is too much to do. */
  ended?: unknown;
}

/** Operations that came before and have a plan. */
export interface KnownQueries {
  /** Of a request's JSON; null where it asks for another one, or for more. */
  find(given: unknown): KnownQuery | null;
  /** If nothing is amiss: whatever is refused, or has an error, is left to the ordinary way, which says so. */
  execute(known: KnownQuery, context: Context, asked: Asked): Promise<KnownOutcome>;
}

export interface KnownQuery {
  document: DocumentNode;
  plan: OperationPlan;
  operationName: string | null;
  variables: Record<string, unknown>;
}

interface Asked {
  req: Client;
  /** As `performance.now()` counts. */
  startedAt: number;
  /** Calls when the client leaves; answers how to make it stop. */
  onLeft: (leave: () => void) => () => void;
}

export function createKnownQueries(schema: GraphQLSchema, checks: OperationChecks): KnownQueries {
  return {
    find(given) {
      const params = readParams(given, checks.trusted);
      const document = params && checks.documents.get(params.query);
      if (!document) return null;
      const { operationName, variables } = params;
      const plan = checks.plans.find(document, operationName);
      return plan && { document, plan, operationName, variables };
    },
    async execute({ document, plan, operationName, variables }, context, { req, startedAt, onLeft }) {
      if (checks.findExcesses(document, context.caller).length > 0) return unknown;
      const cost = checks.findCost({ schema, document, operationName, variableValues: variables });
      if (cost > checks.maxCost) return unknown;
      context.operationCost = cost;
      const charge = checks.takeCharge({ caller: context.caller, operationCost: cost, req });
      const taken: Taken = { charge, loaders: context.loaders };
      if (charge?.refusal) return { answer: null, taken };
      Object.assign(context.loaders, findReadingOf(document));
      const abandonment = new Abandonment();
      const written = new AnswerBytes();
      const keepCalled = (called: Promise<unknown>) => {
        context.called = called;
      };
      const execute = () => plan.execute(variables, context, undefined, keepCalled, written);
      try {
        // A mutation goes on to its end; useTimeLimit says why.
        const data = plan.isMutation
          ? await execute()
          : await checks.runQuery({ cost, abandonment, onLeft }, execute);
        const answer = formatAnswer(charge ? { data, extensions: charge.extensions } : { data }, written);
        // Not where it failed: what was not waited for may be writing still.
        written.release();
        const type = plan.isMutation ? 'mutation' : 'query';
        checks.onOperation(type, 'ok', (performance.now() - startedAt) / 1_000);
        return { answer };
      } catch {
        const { loaders, called } = context;
        return { answer: null, taken: { charge, loaders, called, ended: abandonment.reason } };
      } finally {
        // A WeakMap keeps what it has for young keys through minor collections, and with it the request.
        RequestCache.clearForContext(context);
      }
    },
  };
}

export const unknown: KnownOutcome = { answer: null };

interface Params {
  query: string;
  operationName: string | null;
  variables: Record<string, unknown>;
}

/** Null for what is more, or other, than a document with its variables. */
function readParams(given: unknown, trusted: TrustedOptions | null): Params | null {
  if (!isRecord(given)) return null;
  const params = trusted ? findTrusted(given, trusted) : given;
  const { query, operationName = null, variables = null, extensions = null, ...others } = params ?? nothing;
  if (typeof query !== 'string' || extensions !== null || Object.keys(others).length > 0) return null;
  // An empty name is one that no operation has.
  if (operationName !== null && (typeof operationName !== 'string' || operationName === '')) return null;
  if (variables !== null && !isRecord(variables)) return null;
  return { query, operationName, variables: variables ?? {} };
}

const nothing: Record<string, unknown> = {};

function findTrusted(
  given: Record<string, unknown>,
  trusted: TrustedOptions,
): Record<string, unknown> | null {
  try {
    return { ...findDocument(given, trusted) };
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
