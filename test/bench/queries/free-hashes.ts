import crypto, { type BinaryToTextEncoding } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

// Loaded before a service, whose addresses are signed by two hashes each, it leaves of these what they would cost if they
// took no time: how fast addresses could be at best, whatever signs them. Nobody would take such an address.

const digests: Partial<Record<BinaryToTextEncoding, string>> = {
  binary: 'A'.repeat(32),
  base64url: 'A'.repeat(43),
};
const { hash } = crypto;

const freeHash = (algorithm: string, data: Buffer, encoding: BinaryToTextEncoding): unknown =>
  digests[encoding] ?? hash(algorithm, data, encoding);

Object.assign(crypto, { hash: freeHash });
syncBuiltinESMExports();
