import { hash } from 'node:crypto';
import { blockWords, createSha256Lanes, laneCount, stateWords } from './sha256-lanes.ts';

const blockBytes = 64;
const digestBytes = 32;
/** What closes a message in its last block: a bit, and its length. */
const closingBytes = 9;

/** How a text goes on after its first 64 bytes: the last block of what is hashed, in words. */
export type PreparedEnding = Int32Array;

/** Of ASCII. @throws {RangeError} beyond 55 characters, which is more than any rendition's address ends with */
export function prepareEnding(ending: string): PreparedEnding {
  const room = blockBytes - closingBytes;
  if (ending.length > room) {
    throw new RangeError(`${ending} has ${ending.length} characters; at most ${room}`);
  }
  return closeMessage(Buffer.from(ending, 'latin1'), 2 * blockBytes + ending.length);
}

/** HMAC-SHA256 (RFC 2104) of four texts at once, with both halves of the key taken in beforehand. */
export class HmacLanes {
  readonly #sha256 = createSha256Lanes();
  readonly #inner = this.#sha256.allocate(stateWords);
  readonly #outer = this.#sha256.allocate(stateWords);
  /** A text in its two blocks. */
  readonly #beginning = this.#sha256.allocate(blockWords);
  readonly #ending = this.#sha256.allocate(blockWords);
  /** What each lane has there. Most texts end as the one before. */
  readonly #endings: (PreparedEnding | null)[] = Array(laneCount).fill(null);
  /** What the text comes to, in the block that is hashed then. */
  readonly #hashed = this.#sha256.allocate(blockWords);
  readonly #digest = this.#sha256.allocate(stateWords);

  constructor(secret: string) {
    const isLong = Buffer.byteLength(secret) > blockBytes;
    const key = Buffer.alloc(blockBytes);
    key.set(isLong ? hash('sha256', secret, 'buffer') : Buffer.from(secret));
    this.#takeKey(key, 0x36, this.#inner);
    this.#takeKey(key, 0x5c, this.#outer);
    const closing = closeMessage(Buffer.alloc(digestBytes), blockBytes + digestBytes);
    for (let lane = 0; lane < laneCount; lane++) this.#putBlock(this.#hashed, lane, closing);
  }

  #takeKey(key: Buffer, pad: number, state: number): void {
    const block = readWords(Buffer.from(key.map(byte => byte ^ pad)));
    for (let lane = 0; lane < laneCount; lane++) this.#putBlock(this.#beginning, lane, block);
    this.#sha256.compress(this.#sha256.initial, this.#beginning, state);
  }

  /** The text begins with the 64 bytes there. */
  putText(lane: number, bytes: DataView, from: number, ending: PreparedEnding): void {
    const { words } = this.#sha256;
    const first = this.#beginning + lane;
    for (let word = 0; word < blockWords; word++) {
      words[first + word * laneCount] = bytes.getInt32(from + word * 4);
    }
    if (this.#endings[lane] === ending) return;
    this.#putBlock(this.#ending, lane, ending);
    this.#endings[lane] = ending;
  }

  /** Of what all lanes have; whatever was in one for which nothing was put makes no difference to the others. */
  run(): void {
    const { compress } = this.#sha256;
    compress(this.#inner, this.#beginning, this.#hashed);
    compress(this.#hashed, this.#ending, this.#hashed);
    compress(this.#outer, this.#hashed, this.#digest);
  }

  /** So many pairs of characters of a lane's digest in base64url, at most 21. */
  writeDigest(lane: number, to: DataView, start: number, pairCount: number): void {
    const { words } = this.#sha256;
    const first = this.#digest + lane;
    for (let pair = 0; pair < pairCount; pair++) {
      const bit = pair * pairBits;
      const at = first + (bit >> 5) * laneCount;
      const word = words[at] as number;
      // How many bits of the word are behind these; less than none where some are the next one's.
      const behind = 32 - pairBits - (bit & 31);
      const bits =
        behind >= 0
          ? word >>> behind
          : (word << -behind) | ((words[at + laneCount] as number) >>> (32 + behind));
      to.setUint16(start + pair * 2, pairs[bits & (pairs.length - 1)] as number);
    }
  }

  #putBlock(block: number, lane: number, words: Int32Array): void {
    const first = block + lane;
    for (let word = 0; word < blockWords; word++) {
      this.#sha256.words[first + word * laneCount] = words[word] as number;
    }
  }
}

const pairBits = 12;
const base64url = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
/** Two characters, by the bits that they stand for. */
const pairs = Uint16Array.from({ length: 2 ** pairBits }, (_, bits) => {
  const [first, second] = [base64url[bits >> 6] as number, base64url[bits & 63] as number];
  return (first << 8) | second;
});

/** The last block of a message of so many bytes, which ends with these. */
function closeMessage(end: Buffer, messageBytes: number): Int32Array {
  const block = Buffer.alloc(blockBytes);
  block.set(end);
  block[end.length] = 0x80;
  block.writeUInt32BE(messageBytes * 8, blockBytes - 4);
  return readWords(block);
}

function readWords(block: Buffer): Int32Array {
  return Int32Array.from({ length: blockWords }, (_, word) => block.readInt32BE(word * 4));
}
