import type { Caller } from './caller.ts';
import { type Client, findClientNetwork } from './client-address.ts';

/** By what it is known where a request comes from. */
export interface Requests {
  req?: Client;
  /** Of a page of the service's own, on which it asks for the visitor. */
  visitor?: Client;
}

/**
 * On whose account goes what a caller spends and holds: the credential's, or that of all strangers of one network. Null
 * where no credentials are set up, for then nobody is bounded.
 */
export function findAccount(
  { id, isStranger }: Caller,
  { req, visitor }: Requests,
  trustedProxies: number,
): string | null {
  if (id !== null || !isStranger) return id;
  const request = req ?? visitor;
  return request ? findClientNetwork(request, trustedProxies) : 'unknown';
}
