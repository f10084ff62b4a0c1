import { createHmac, hash, randomBytes } from 'node:crypto';
import { createAddressWriters } from '../../src/rendering/address.ts';
import { createSigner } from '../../src/rendering/signature.ts';
import { median } from './table.ts';

// `node test/bench/signing.ts`: what each address takes to write and to sign, as those of an answer are, beside what
// node:crypto takes to sign it. Microseconds; medians of rounds in turn.

const rounds = 25;
const timesInRound = 20_000;
const inGalleries = 500;

const secret = randomBytes(32).toString('hex');
const ending = '.jpg/386x290-auto.jpg';
const signer = createSigner([{ id: 'main', secret }]);
const writer = createAddressWriters('https://cdn.example', signer)(ending);
const hashes = Buffer.from(randomBytes(32 * inGalleries).toString('hex'));
const to = Buffer.alloc(writer.length * inGalleries);
const [inner, outer, nothing] = [Buffer.alloc(64 + 85), Buffer.alloc(64 + 32), Buffer.alloc(0)];

/** So many at once. */
function writeAddresses(count: number): void {
  const batch = signer.createBatch();
  let at = 0;
  for (let image = 0; image < count; image++) at = writer.write(to, at, hashes, image * 64, batch);
  batch.sign(to);
}

const works: Record<string, { work: () => unknown; count: number }> = {
  'an address among 500, written and signed': { work: () => writeAddresses(inGalleries), count: inGalleries },
  'an address among 10': { work: () => writeAddresses(10), count: 10 },
  'an address alone': { work: () => writeAddresses(1), count: 1 },
  'the two hashes of its HMAC, each by one call': {
    work: () => [hash('sha256', inner, 'binary'), hash('sha256', outer, 'base64url')],
    count: 1,
  },
  'two hashes of nothing': {
    work: () => [hash('sha256', nothing, 'binary'), hash('sha256', nothing, 'binary')],
    count: 1,
  },
  'its HMAC by createHmac': {
    work: () => createHmac('sha256', secret).update(inner).digest('base64url'),
    count: 1,
  },
};

const micros: Record<string, number[]> = {};
for (let round = 0; round < rounds; round++) {
  for (const [name, { work, count }] of Object.entries(works)) {
    const startedAt = performance.now();
    for (let time = 0; time < timesInRound; time += count) work();
    const taken = micros[name] ?? [];
    micros[name] = taken;
    taken.push(((performance.now() - startedAt) * 1_000) / timesInRound);
  }
}
for (const [name, taken] of Object.entries(micros)) {
  process.stdout.write(`${median(taken).toFixed(2)} µs  ${name}\n`);
}
