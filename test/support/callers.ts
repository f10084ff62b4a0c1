import type { Authentication } from '../../src/access/authenticate.ts';
import { anyone, type Caller } from '../../src/access/caller.ts';

/** Whom a service takes its requests to come from, until it is told otherwise. */
export const stranger: Caller = { id: null, scopes: new Set(['images:read']), isStranger: true };

export const keyOf = (name: string): Caller => ({ ...anyone, id: `key:${name}` });

/** Takes every request to come from one. */
export function authenticateAs(caller: Caller): Authentication {
  return { authenticate: async () => caller, isClosed: async () => true };
}
