import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { ImportError, unreachable } from './import-error.ts';

export interface Address {
  address: string;
  family: 4 | 6;
}

/** Every address of a name. Rejects or answers an empty list where there is none. */
export type Resolve = (hostname: string) => Promise<Address[]>;

export interface AddressRules {
  allowedPorts: readonly number[] | 'any';
  /** Development only: 127.0.0.0/8 and ::1. */
  allowLoopback: boolean;
  /** Development only: RFC 1918 and unique local addresses. Never link-local ones, where metadata services live. */
  allowPrivate?: boolean;
}

export interface CheckedSource {
  url: URL;
  hostname: string;
  port: number;
  /** All that the name resolved to, each one checked; nothing else may be dialled. */
  addresses: readonly Address[];
}

type ParsedAddress = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * The only part of IPv6 that IANA has given out; compatible and translated IPv4 lie outside. What in it
 * is special (Teredo, 6to4, documentation) ipaddr.js knows, from 2.5 on completely.
 */
const globalIPv6 = '2000::/3';

/** Metadata services at addresses that are otherwise public (Azure) or private (AWS, Google). */
const metadataServices = ['168.63.129.16/32', 'fd00:ec2::/32', 'fd20:ce::/32'];

/** Whether an address is a single host of the public internet. Anything not known to be one is not. */
export function isGlobalUnicast(address: string): boolean {
  const parsed = parseAddress(address);
  return parsed !== null && isGlobal(parsed);
}

/**
 * Parses a URL, resolves its host once and checks every address that came back: a name with one bad
 * address among good ones is refused.
 * @throws {ImportError} URL_FORBIDDEN, or SOURCE_UNREACHABLE where the name has no address
 */
export async function resolveSource(
  source: string | URL,
  rules: AddressRules,
  resolve: Resolve = lookupAll,
): Promise<CheckedSource> {
  const url = parseSourceUrl(source);
  const port = checkPort(url, rules);
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = await findAddresses(hostname, resolve);
  if (!addresses.every(({ address }) => isAllowed(address, rules))) {
    throw new ImportError('URL_FORBIDDEN', 'host of the URL is not on the public internet');
  }
  return { url, hostname, port, addresses };
}

/** By the system's resolver, hosts file included. */
export async function lookupAll(hostname: string): Promise<Address[]> {
  const found = await lookup(hostname, { all: true, order: 'verbatim' });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

function parseSourceUrl(source: string | URL): URL {
  const url = URL.parse(String(source));
  if (url === null) throw new ImportError('URL_FORBIDDEN', 'URL cannot be parsed; http or https is needed');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ImportError('URL_FORBIDDEN', 'URL has another scheme; http or https is needed');
  }
  if (url.username !== '' || url.password !== '') {
    throw new ImportError('URL_FORBIDDEN', 'URL holds a user name or password; it must hold neither');
  }
  return url;
}

function checkPort(url: URL, rules: AddressRules): number {
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const { allowedPorts } = rules;
  if (allowedPorts === 'any' || allowedPorts.includes(port)) return port;
  throw new ImportError('URL_FORBIDDEN', `port of the URL is ${port}; allowed: ${allowedPorts.join(', ')}`);
}

async function findAddresses(hostname: string, resolve: Resolve): Promise<Address[]> {
  const literal = isIP(hostname);
  if (literal !== 0) return [{ address: hostname, family: literal === 6 ? 6 : 4 }];
  const addresses = await resolve(hostname).catch((error: unknown) => {
    throw unreachable(error);
  });
  if (addresses.length === 0) throw unreachable(new Error(`${hostname} has no address`));
  return addresses;
}

function isAllowed(address: string, rules: AddressRules): boolean {
  const parsed = parseAddress(address);
  if (parsed === null) return false;
  if (isGlobal(parsed)) return true;
  const range = parsed.range();
  if (range === 'loopback') return rules.allowLoopback;
  if (range === 'private' || range === 'uniqueLocal') {
    return rules.allowPrivate === true && !isInAny(parsed, metadataServices);
  }
  return false;
}

/** Null for what is not exactly one address, also for one with a zone. */
function parseAddress(address: string): ParsedAddress | null {
  // ipaddr.js reads octal, hexadecimal and short forms too; isIP admits only the canonical ones.
  return isIP(address) === 0 || address.includes('%') ? null : ipaddr.parse(address);
}

function isGlobal(address: ParsedAddress): boolean {
  if (address.range() !== 'unicast' || isInAny(address, metadataServices)) return false;
  return address.kind() === 'ipv4' || isIn(address, globalIPv6);
}

function isInAny(address: ParsedAddress, networks: readonly string[]): boolean {
  return networks.some(network => isIn(address, network));
}

function isIn(address: ParsedAddress, network: string): boolean {
  const [base, prefixLength] = ipaddr.parseCIDR(network);
  return base.kind() === address.kind() && address.match(base, prefixLength);
}
