import { createHmac, hash, randomBytes } from 'node:crypto';
import { createAddressWriters } from '../../src/rendering/address.ts';
import { createSigner } from '../../src/rendering/signature.ts';
import { median } from './table.ts';

// `node test/bench/signing.ts`: what an address takes to write, beside the hashes that it cannot do without and the least
// that any hash of node:crypto takes. Microseconds; medians of rounds in turn.

const rounds = 25;
const timesInRound = 20_000;

const secret = randomBytes(32).toString('hex');
const writer = createAddressWriters(
  'https://cdn.example',
  createSigner([{ id: 'main', secret }]),
)('.jpg/386x290-auto.jpg');
const hashes = Array.from({ length: 64 }, () => Buffer.from(randomBytes(32).toString('hex')));
const to = Buffer.alloc(writer.length);
const [inner, outer, nothing] = [Buffer.alloc(64 + 85), Buffer.alloc(64 + 32), Buffer.alloc(0)];

const works: Record<string, (hash: Buffer) => unknown> = {
  'an address, signed and written': hash => writer.write(to, 0, hash, 0),
  'the two hashes of its HMAC': () => [hash('sha256', inner, 'binary'), hash('sha256', outer, 'base64url')],
  'one hash, of nothing': () => hash('sha256', nothing, 'binary'),
  'the HMAC by createHmac': bytes => createHmac('sha256', secret).update(bytes).digest('base64url'),
};

const micros: Record<string, number[]> = {};
for (let round = 0; round < rounds; round++) {
  for (const [name, work] of Object.entries(works)) {
    const startedAt = performance.now();
    for (let time = 0; time < timesInRound; time++) work(hashes[time % hashes.length] ?? nothing);
    const taken = micros[name] ?? [];
    micros[name] = taken;
    taken.push(((performance.now() - startedAt) * 1_000) / timesInRound);
  }
}
for (const [name, taken] of Object.entries(micros)) {
  process.stdout.write(`${median(taken).toFixed(2)} µs  ${name}\n`);
}
