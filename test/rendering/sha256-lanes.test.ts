import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockWords, createSha256Lanes, laneCount, stateWords } from '../../src/rendering/sha256-lanes.ts';

const blockBytes = blockWords * 4;

/** With its closing bit and its length, as FIPS 180-4 has it. */
function pad(message: Uint8Array): Buffer {
  const blocks = Math.ceil((message.length + 9) / blockBytes);
  const padded = Buffer.alloc(blocks * blockBytes);
  padded.set(message);
  padded[message.length] = 0x80;
  padded.writeBigUInt64BE(BigInt(message.length) * 8n, padded.length - 8);
  return padded;
}

const lanes = createSha256Lanes();
const state = lanes.allocate(stateWords);
const block = lanes.allocate(blockWords);

/** Of messages of as many blocks each. */
function hashAll(messages: readonly Uint8Array[], result = state): string[] {
  const padded = messages.map(pad);
  let before = lanes.initial;
  for (let from = 0; from < (padded[0]?.length ?? 0); from += blockBytes) {
    for (const [lane, bytes] of padded.entries()) {
      for (let word = 0; word < blockWords; word++) {
        lanes.words[block + word * laneCount + lane] = bytes.readInt32BE(from + word * 4);
      }
    }
    lanes.compress(before, block, result);
    before = result;
  }
  return messages.map((_, lane) => {
    const digest = Buffer.alloc(stateWords * 4);
    for (let word = 0; word < stateWords; word++) {
      digest.writeInt32BE(lanes.words[result + word * laneCount + lane] as number, word * 4);
    }
    return digest.toString('hex');
  });
}

const hashOf = (message: Uint8Array) => createHash('sha256').update(message).digest('hex');

describe('SHA-256 of four messages', () => {
  test('is what it is of each', () => {
    const messages = fc.nat(5).chain(blocks => {
      const least = Math.max(0, blocks * blockBytes - 8);
      const most = (blocks + 1) * blockBytes - 9;
      const message = fc.uint8Array({ minLength: least, maxLength: most });
      return fc.array(message, { minLength: laneCount, maxLength: laneCount });
    });
    fc.assert(
      fc.property(messages, all => {
        expect(hashAll(all)).toEqual(all.map(hashOf));
      }),
      { numRuns: 3_000 },
    );
  });

  test('may be put where the block was', () => {
    const all = ['a', 'b', 'c', 'd'].map(text => Buffer.from(text));
    expect(hashAll(all, block)).toEqual(all.map(hashOf));
  });

  test('has no more room than its memory', () => {
    const full = createSha256Lanes();
    expect(() => full.allocate(60_000)).toThrow('There is no room for 60000 more words');
  });
});
