import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Known } from '../model/arbitraries.ts';
import { type Answer, type Call, type CallOf, type ImageView, nothing } from '../model/calls.ts';
import type { Client } from '../model/client.ts';
import { callerCommand } from '../model/commands.ts';
import { predict } from '../model/model.ts';
import { expectProducts, type ProductRows } from '../model/rows.ts';
import { emptyState, liveImages, productOf, type State } from '../model/state.ts';
import { type Limits, strangeId } from '../model/vocabulary.ts';

/** No answer came, or one that says to try again: the change may have been made or not. */
export class Unanswered extends Error {
  override name = 'Unanswered';
}

export interface Writing {
  client: Client;
  /** The rows of products, once the service is up again. */
  readRows(productIds: readonly string[]): Promise<ProductRows[]>;
  limits: Limits;
  seed: number;
}

/**
 * Changes products that are its own, one call after the other, and keeps what they must hold: what was acknowledged, in
 * that order, and of what was not each whole or not at all.
 */
export class Writer {
  readonly productIds: readonly string[];
  acknowledged = 0;
  unanswered = 0;
  /** Of those the ones that had been done. */
  doneUnanswered = 0;
  #state: State = emptyState;
  #round = 0;
  readonly #name: string;
  readonly #writing: Writing;
  readonly #keyed: CallOf<'createProductImage'>[] = [];
  readonly #log: string[] = [];

  constructor(name: string, productIds: readonly string[], writing: Writing) {
    this.#name = name;
    this.productIds = productIds;
    this.#writing = writing;
  }

  /** Until `isOver` and the fate of the last call is known. */
  async write(isOver: () => boolean): Promise<void> {
    try {
      while (!isOver()) await this.#writeSome(isOver);
    } catch (error) {
      throw new Error(`Writer ${this.#name}: ${error}\nafter\n${this.#log.slice(-12).join('\n')}`);
    }
  }

  async #writeSome(isOver: () => boolean): Promise<void> {
    const seed = this.#writing.seed + 7_919 * this.#round++;
    for (const command of fc.sample(callerCommand, { numRuns: 20, seed })) {
      if (isOver()) return;
      const call = keepSources(command(this.#know()));
      if (!JSON.stringify(call).includes(strangeId)) await this.#make(call);
    }
  }

  /** Fails unless the rows are what the calls make. */
  check(rows: readonly ProductRows[]): void {
    const expected = this.#expect(this.#state);
    assert.deepStrictEqual(rows.map(plainRows), expected, this.#log.slice(-12).join('\n'));
  }

  async #make(call: Call): Promise<void> {
    if (call.name === 'createProductImage' && call.input.idempotencyKey) this.#keyed.push(call);
    try {
      this.#take(call, await this.#writing.client.run(call));
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      this.unanswered++;
      this.#note('unanswered', call, error.message);
      await this.#settle(call);
    }
  }

  #take(call: Call, answer: Answer): void {
    const predicted = predict(this.#state, call, answer, this.#writing.limits);
    this.#note('acknowledged', call, answer.errors.join());
    assert.deepStrictEqual(plainAnswer(answer), plainAnswer(predicted.answer));
    this.#state = predicted.state;
    this.acknowledged++;
  }

  /** A creation with a key is sent again, as clients do; of all else the rows tell whether it was done. */
  async #settle(call: Call): Promise<void> {
    const rows = await this.#writing.readRows(this.productIds);
    const done = predict(this.#state, call, this.#guess(call, rows), this.#writing.limits).state;
    const found = rows.map(plainRows);
    const isDone = isDeepStrictEqual(found, this.#expect(done));
    if (!isDone) assert.deepStrictEqual(found, this.#expect(this.#state), 'neither done nor not');
    if (isDone && done !== this.#state) this.doneUnanswered++;
    this.#note(isDone ? 'done' : 'not done', call);
    if (call.name === 'createProductImage' && call.input.idempotencyKey) return this.#make(call);
    if (isDone) this.#state = done;
  }

  /** What the answer would have told of what only the service can say: new ids, and where restored images went. */
  #guess(call: Call, rows: readonly ProductRows[]): Answer {
    const all = rows.flatMap(({ live }) => live);
    const known = new Set(
      this.productIds.flatMap(id => liveImages(productOf(this.#state, id))).map(({ id }) => id),
    );
    const deleted = new Set(
      this.productIds.flatMap(id => productOf(this.#state, id).deleted).map(one => one.image.id),
    );
    const added = all.filter(({ id }) => !known.has(id) && !deleted.has(id));
    if (call.name !== 'restoreProductImages') return { ...nothing, images: added, added };
    return { ...nothing, images: call.ids.flatMap(id => all.filter(image => image.id === id)) };
  }

  #expect(state: State): ProductRows[] {
    return expectProducts(state, this.productIds).map(plainRows);
  }

  #know(): Known {
    const state = this.#state;
    return {
      productIds: this.productIds,
      live: id => liveImages(productOf(state, id)),
      deleted: id => productOf(state, id).deleted.map(({ image }) => image.id),
      version: id => productOf(state, id).version,
      marketingColor: id => productOf(state, id).marketingColor,
      purgedIds: state.purgedIds,
      key: n => `${this.#name}-${Math.floor(this.acknowledged / 40)}-${n}`,
      keyed: this.#keyed.slice(-6),
    };
  }

  #note(what: string, call: Call, more = ''): void {
    this.#log.push(`${what}: ${JSON.stringify(call)} ${more}`);
  }
}

/**
 * An image that is given another source takes time to have its bytes, and what comes in with them then depends on when
 * they come; here images keep theirs.
 */
function keepSources(call: Call): Call {
  if (call.name === 'updateProductImage') {
    const { source: _, ...input } = call.input;
    return { ...call, input };
  }
  if (call.name !== 'replaceProductImages') return call;
  const keep = (entries: typeof call.input.images) =>
    entries.map(({ source, ...entry }) => (entry.id === undefined && source ? { ...entry, source } : entry));
  const { images, images360 } = call.input;
  return { ...call, input: { ...call.input, images: keep(images), images360: images360 && keep(images360) } };
}

/** Without how far importing has come: that goes on meanwhile. */
function plain(image: ImageView): ImageView {
  return { ...image, state: 'IMPORTED', contentHash: null };
}

function plainAnswer(answer: Answer): Answer {
  const { errors, images, added, kept, removed, deleted } = answer;
  return {
    errors,
    images: images.map(plain),
    added: added.map(plain),
    kept: kept.map(plain),
    removed: removed.map(plain),
    deleted: deleted.map(plain),
  };
}

function plainRows(rows: ProductRows): ProductRows {
  return { ...rows, live: rows.live.map(plain), deleted: rows.deleted.map(plain) };
}

export interface UploadWriter {
  /** The hashes of what was acknowledged, in order. */
  hashes: string[];
  write(isOver: () => boolean): Promise<void>;
}

/** Uploads one file after the other to a product; what is not answered is sent again with the same key. */
export function createUploadWriter(
  send: (n: number, bytes: Buffer) => Promise<string>,
  draw: (n: number) => Promise<{ bytes: Buffer; hash: string }>,
): UploadWriter {
  const hashes: string[] = [];
  return {
    hashes,
    async write(isOver) {
      while (!isOver()) {
        const { bytes, hash } = await draw(hashes.length);
        assert.equal(await sendUntilAnswered(hashes.length, bytes), hash);
        hashes.push(hash);
      }
    },
  };

  async function sendUntilAnswered(n: number, bytes: Buffer): Promise<string> {
    for (;;) {
      try {
        return await send(n, bytes);
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        await sleep(50);
      }
    }
  }
}
