import { createHmac, timingSafeEqual } from 'node:crypto';
import { HmacLanes, type PreparedEnding } from './hmac-lanes.ts';
import { laneCount } from './sha256-lanes.ts';

/** The first of a list signs; all of them verify, so that keys can be changed while addresses are about. */
export interface SigningKey {
  id: string;
  secret: string;
}

export interface Signer {
  /** `<key id>.<22 characters>` */
  sign(path: string): string;
  /** `<key id>.`, which all signatures begin with. */
  prefix: string;
  createBatch(): SigningBatch;
  /** In constant time. */
  verify(signature: string, path: string): boolean;
}

/** Signs texts where they are written, four at a time: a query shows thousands. */
export interface SigningBatch {
  /**
   * At `at` there is room for what follows the prefix, `signatureLength` characters; the text that is signed begins with
   * the 64 bytes behind them and a slash, and has this ending.
   */
  add(at: number, ending: PreparedEnding): void;
  /** Once, when all that was added is written. */
  sign(bytes: Buffer): void;
}

/** In base64url: 132 bits of HMAC-SHA256. */
export const signatureLength = 22;

export function createSigner(keys: readonly SigningKey[]): Signer {
  const [first] = keys;
  if (!first) throw new Error('There is no key to sign with');
  const secrets = new Map(keys.map(({ id, secret }) => [id, secret]));
  const prefix = `${first.id}.`;
  const lanes = new HmacLanes(first.secret);
  return {
    sign: path => prefix + digest(first.secret, path),
    prefix,
    createBatch: () => new Batch(lanes),
    verify(signature, path) {
      const dot = signature.indexOf('.');
      const secret = secrets.get(signature.slice(0, dot));
      return secret !== undefined && isEqual(signature.slice(dot + 1), digest(secret, path));
    },
  };
}

function digest(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('base64url').slice(0, signatureLength);
}

function isEqual(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

class Batch implements SigningBatch {
  readonly #lanes: HmacLanes;
  readonly #places: number[] = [];
  readonly #endings: PreparedEnding[] = [];

  constructor(lanes: HmacLanes) {
    this.#lanes = lanes;
  }

  add(at: number, ending: PreparedEnding): void {
    this.#places.push(at);
    this.#endings.push(ending);
  }

  sign(bytes: Buffer): void {
    const { length } = this.#places;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let from = 0; from < length; from += laneCount) {
      this.#signSome(view, from, Math.min(laneCount, length - from));
    }
  }

  #signSome(bytes: DataView, from: number, count: number): void {
    const [lanes, places, endings] = [this.#lanes, this.#places, this.#endings];
    for (let lane = 0; lane < count; lane++) {
      const textAt = (places[from + lane] as number) + signatureLength + 1;
      lanes.putText(lane, bytes, textAt, endings[from + lane] as PreparedEnding);
    }
    lanes.run();
    for (let lane = 0; lane < count; lane++) {
      lanes.writeDigest(lane, bytes, places[from + lane] as number, signatureLength / 2);
    }
  }
}
