import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { findClientNetwork } from '../../src/access/client-address.ts';

function find(remoteAddress: string | undefined, forwardedFor?: string, proxies = 0): string {
  const request = { socket: { remoteAddress }, headers: { 'x-forwarded-for': forwardedFor } };
  return findClientNetwork(request as unknown as IncomingMessage, proxies);
}

test.each([
  ['an IPv4 address as it is', '192.0.2.7', '192.0.2.7'],
  ['one that is written as IPv6, too', '::ffff:192.0.2.7', '192.0.2.7'],
  ['of IPv6 the /64', '2001:db8:0:7:1:2:3:4', '2001:db8:0:7::/64'],
  ['the same of a neighbour in it', '2001:db8:0:7::', '2001:db8:0:7::/64'],
  ['of a link, without its name', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['none of a socket that is gone', undefined, 'unknown'],
])('takes %s', (_name, address, network) => {
  expect(find(address)).toBe(network);
});

test.each([
  ['nobody, unless told to', 0, '10.0.0.1'],
  ['the last, of one proxy', 1, '203.0.113.9'],
  ['the one before, of two', 2, '198.51.100.4'],
  ['the first, of more proxies than there were', 5, '6.6.6.6'],
])('of X-Forwarded-For it believes %s', (_name, proxies, network) => {
  expect(find('10.0.0.1', '6.6.6.6, 198.51.100.4, 203.0.113.9', proxies)).toBe(network);
});

test.each([
  ['192.0.2.7:5678', '192.0.2.7'],
  ['[2001:db8::1]:443', '2001:db8:0:0::/64'],
  ['[2001:db8::1]', '2001:db8:0:0::/64'],
  [' 192.0.2.7 ', '192.0.2.7'],
])('a proxy may write %s', (written, network) => {
  expect(find('10.0.0.1', written, 1)).toBe(network);
});

test.each(['', 'unknown', '0x7f.1', '1.2.3', 'a'.repeat(10_000)])(
  'what is no address leaves that of the proxy: %#',
  written => {
    expect(find('10.0.0.1', written, 1)).toBe('10.0.0.1');
  },
);
