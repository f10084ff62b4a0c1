import crypto, { type BinaryToTextEncoding, type HashOptions } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

// Loaded before a service, whose addresses are signed by two hashes each, it leaves of these what they would cost if they
// took no time: how fast addresses could be at best, whatever signs them. Nobody would take such an address.

const digests: Partial<Record<BinaryToTextEncoding | 'buffer', string>> = {
  binary: 'A'.repeat(32),
  base64url: 'A'.repeat(43),
};
const { hash } = crypto;

const freeHash = (...[algorithm, data, options]: Parameters<typeof hash>): unknown => {
  const encoding =
    typeof options === 'string' ? options : (options as HashOptions | undefined)?.outputEncoding;
  return digests[encoding ?? 'hex'] ?? hash(algorithm, data, options);
};

Object.assign(crypto, { hash: freeHash });
syncBuiltinESMExports();
