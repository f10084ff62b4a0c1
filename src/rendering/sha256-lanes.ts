import {
  add,
  and,
  assemble,
  type Code,
  countUp,
  get,
  integer,
  join,
  load,
  or,
  set,
  shiftLeft,
  shiftRight,
  store,
  xor,
} from './wasm.ts';

// SHA-256 (FIPS 180-4) of four messages at once: each of its 32-bit words is one lane of a 128-bit vector, as S. Gueron
// and V. Krasnov have it in "Simultaneous Hashing of Multiple Messages" (2012). Short messages are hashed in a fraction of
// the time that a call of node:crypto takes before it begins.

export const laneCount = 4;
export const stateWords = 8;
export const blockWords = 16;

/** Places are indices of `words`. Words that all lanes have are there once for each. */
export interface Sha256Lanes {
  /** Word `n` of a lane is `words[place + n * laneCount + lane]`, its bytes as numbers: the first is the highest. */
  readonly words: Int32Array;
  /** Room for so many words of each lane. There are 14 KiB for each lane in all. */
  allocate(wordCount: number): number;
  /** The state before the first block. */
  readonly initial: number;
  /** Puts at `to` what `state` comes to with a block of 16 words; all three may be the same place. */
  compress(state: number, block: number, to: number): void;
}

const rounds = 64;
const wordBytes = 4;
const vectorBytes = laneCount * wordBytes;
/** Where in the memory, in bytes: the constants of the rounds, and the message's schedule. */
const constantsAt = 0;
const scheduleAt = rounds * vectorBytes;
const firstFree = 2 * rounds * vectorBytes;

export function createSha256Lanes(): Sha256Lanes {
  const { memory, run } = assemble({ parameters: 3, integers: 1, vectors: 11, code: compressCode() });
  const words = new Int32Array(memory.buffer);
  const putAll = (place: number, values: readonly number[]) => {
    for (const [n, value] of values.entries())
      words.fill(value, place + n * laneCount, place + (n + 1) * laneCount);
  };
  let free = firstFree / wordBytes;
  const allocate = (wordCount: number) => {
    const place = free;
    free += wordCount * laneCount;
    if (free > words.length) throw new RangeError(`There is no room for ${wordCount} more words`);
    return place;
  };
  const primes = findPrimes(rounds);
  putAll(
    constantsAt,
    primes.map(prime => fractionBits(Math.cbrt(prime))),
  );
  const initial = allocate(stateWords);
  putAll(
    initial,
    primes.slice(0, stateWords).map(prime => fractionBits(Math.sqrt(prime))),
  );
  return {
    words,
    allocate,
    initial,
    compress: (state, block, to) => run(state * wordBytes, block * wordBytes, to * wordBytes),
  };
}

function findPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every(prime => n % prime > 0)) primes.push(n);
  return primes;
}

/** The first 32 bits behind the point. */
function fractionBits(value: number): number {
  return Math.floor((value % 1) * 2 ** 32) | 0;
}

// Locals. The parameters are where state, block and result are, in bytes.
const [state, block, to, at, sum, ...variables] = Array.from({ length: 15 }, (_, local) => local) as [
  number,
  number,
  number,
  number,
  number,
  ...number[],
];
/** a to h. */
const working = variables.slice(0, stateWords) as Working;
type Working = [number, number, number, number, number, number, number, number];
/** a ^ b, and that of the round before, which is b ^ c. */
const differences = variables.slice(stateWords) as [number, number];

const shifted = (local: number, bits: number): Code => join(get(local), integer(bits), shiftRight);
const rotated = (local: number, bits: number): Code =>
  join(shifted(local, bits), get(local), integer(32 - bits), shiftLeft, or);
const exclusive = (first: Code, second: Code, third: Code): Code => join(first, second, xor, third, xor);

function compressCode(): Code {
  const words = Array.from({ length: blockWords }, (_, n) =>
    join(integer(0), get(block), load(n * vectorBytes), store(scheduleAt + n * vectorBytes)),
  );
  const loading = working.map((local, n) => join(get(state), load(n * vectorBytes), set(local)));
  const [, b, c] = working;
  const firstDifference = join(get(b), get(c), xor, set(differences[1]));
  const storing = working.map((local, n) =>
    join(get(to), get(local), get(state), load(n * vectorBytes), add, store(n * vectorBytes)),
  );
  return join(...words, scheduleCode(), ...loading, firstDifference, roundsCode(), ...storing);
}

/** The words from the 17th on. */
function scheduleCode(): Code {
  const step = 4;
  const one = (_: unknown, n: number): Code => {
    const word = (before: number) =>
      join(get(at), load(scheduleAt + (blockWords + n - before) * vectorBytes));
    const sigma0 = exclusive(rotated(sum, 7), rotated(sum, 18), shifted(sum, 3));
    const sigma1 = exclusive(rotated(sum, 17), rotated(sum, 19), shifted(sum, 10));
    return join(
      get(at),
      ...[word(15), set(sum), sigma0, word(16), add, word(7), add],
      ...[word(2), set(sum), sigma1, add],
      store(scheduleAt + (blockWords + n) * vectorBytes),
    );
  };
  const end = (rounds - blockWords) * vectorBytes;
  return countUp(at, { step: step * vectorBytes, end }, join(...Array.from({ length: step }, one)));
}

/** Eight rounds at a time: after these the working variables are where they were. */
function roundsCode(): Code {
  const one = (_: unknown, n: number): Code => {
    const of = (index: number) => working[(index - n + stateWords) % stateWords] as number;
    const [a, b, d, e, f, g, h] = [of(0), of(1), of(3), of(4), of(5), of(6), of(7)];
    const [aXorB, bXorC] = n % 2 === 0 ? differences : [differences[1], differences[0]];
    const constant = join(get(at), load(constantsAt + n * vectorBytes));
    const word = join(get(at), load(scheduleAt + n * vectorBytes));
    const choice = join(get(f), get(g), xor, get(e), and, get(g), xor);
    const majority = join(get(aXorB), get(bXorC), and, get(b), xor);
    const sigma0 = exclusive(rotated(a, 2), rotated(a, 13), rotated(a, 22));
    const sigma1 = exclusive(rotated(e, 6), rotated(e, 11), rotated(e, 25));
    return join(
      ...[get(h), constant, add, word, add, choice, add, sigma1, add, set(sum)],
      ...[get(d), get(sum), add, set(d)],
      ...[get(a), get(b), xor, set(aXorB)],
      ...[get(sum), majority, add, sigma0, add, set(h)],
    );
  };
  const range = { step: stateWords * vectorBytes, end: rounds * vectorBytes };
  return countUp(at, range, join(...Array.from({ length: stateWords }, one)));
}
