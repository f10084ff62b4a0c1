import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** What a request tells of who sent it. */
export type Client = Pick<IncomingMessage, 'headers' | 'socket'>;

/**
 * Where a request comes from, as far as it can be believed: each proxy adds to X-Forwarded-For whom it was asked by,
 * so that of its addresses only the last `trustedProxies` are no invention of the client. Of IPv6 it is the /64, as a
 * client has all addresses of one.
 */
export function findClientNetwork({ socket, headers }: Client, trustedProxies: number): string {
  const forwarded = trustedProxies > 0 ? String(headers['x-forwarded-for'] ?? '').split(',') : [];
  const hops = [...forwarded, socket.remoteAddress ?? ''].map(withoutPort);
  const believed = hops.slice(Math.max(hops.length - 1 - trustedProxies, 0));
  const address = believed.find(hop => isIP(hop) !== 0);
  return address === undefined ? 'unknown' : networkOf(address);
}

/** Some proxies write the port, too: `192.0.2.1:5678`, `[2001:db8::1]:5678`. */
function withoutPort(hop: string): string {
  return hop.trim().replace(/^\[(.*)\](:\d+)?$|^([\d.]+):\d+$/, '$1$3');
}

function networkOf(text: string): string {
  const address = ipaddr.process(text.replace(/%.*$/, ''));
  if (!(address instanceof ipaddr.IPv6)) return address.toString();
  return `${address.parts
    .slice(0, 4)
    .map(part => part.toString(16))
    .join(':')}::/64`;
}
