import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Call } from './calls.ts';
import { contend } from './contention.ts';
import { contentHashes } from './happenings.ts';
import { explainHistory } from './history.ts';
import { checkInvariants } from './invariants.ts';
import { predict } from './model.ts';
import { expectProducts, type ProductRows, readProducts } from './rows.ts';
import { emptyState, liveImages, productOf, type State } from './state.ts';
import { type Limits, pictures, spellUrl } from './vocabulary.ts';
import { openWriters, takeDeeds, type Writer, type Writers } from './writers.ts';

const seconds = Number(process.env.CONCURRENT_SECONDS ?? 30);
const writerCount = 16;
const limits: Limits = {
  ...{ GALLERY: 20, SPIN_360: 6, SWATCH: 4, ids: 12 },
  ...{ text: 10, description: 15, url: 100, name: 20 },
};

let all: Writers;
let first: Writer;
let last: Writer;
beforeEach(async () => {
  all = await openWriters(writerCount + 1, limits);
  [first, last] = [all.writers[0], all.writers.at(-1)] as [Writer, Writer];
});
afterEach(() => all.close());

/** Some images for each product, with bytes that they share. */
async function furnish(productIds: readonly string[]): Promise<State> {
  let state = emptyState;
  const run = async (call: Call): Promise<void> => {
    const answer = await last.client.run(call);
    const predicted = predict(state, call, answer, limits);
    assert.deepStrictEqual(answer, predicted.answer);
    state = predicted.state;
  };
  for (const productId of productIds) {
    const images = pictures.slice(0, 6).map(picture => ({ source: { url: spellUrl(picture, 0) } }));
    const input = { productId, images, images360: images.slice(0, 2) };
    await run({ name: 'replaceProductImages', input });
    for (const [index, { id }] of liveImages(productOf(state, productId)).entries()) {
      const contentHash = contentHashes[index % (contentHashes.length + 1)];
      if (contentHash) await run({ name: 'import', id, contentHash });
    }
  }
  await takeDeeds(all.observer, last);
  return state;
}

describe('sixteen writers at once', () => {
  const many = Array.from({ length: 20 }, (_, index) => String(100 + index));
  test.for([
    { on: 'one product', productIds: ['1'], furnished: ['1'] },
    { on: 'many products', productIds: many, furnished: many.slice(0, 15) },
  ])(
    'on $on do what some order of their changes does',
    { timeout: seconds * 5_000 + 60_000 },
    async ({ productIds, furnished }) => {
      const start = await furnish(furnished);
      const contention = { productIds, durationMs: seconds * 500, seed: Date.now() };
      const deeds = await contend(all, contention);
      expect(deeds.filter(deed => deed.seq !== null).length).toBeGreaterThan(seconds);
      const end = explainHistory(start, deeds, limits);
      assert.deepStrictEqual(await readProducts(all.observer, productIds), expectProducts(end, productIds));
      await checkInvariants(first);
    },
  );

  test('with the same expected version have one winner', async () => {
    const [productId = ''] = await furnish(['1']).then(state => [...state.products.keys()]);
    for (let round = 0; round < 20; round++) {
      const [seen] = await readProducts(all.observer, [productId]);
      const answers = await Promise.all(
        all.writers.map(({ client }, index) => client.run(wish(seen, index % 2 === 0, `${round}-${index}`))),
      );
      const hasConflict = answers.filter(({ errors }) => errors.join().includes('VERSION_CONFLICT'));
      const hasWon = answers.filter(({ errors }) => errors.length === 0);
      expect([hasWon.length, hasConflict.length]).toEqual([1, writerCount]);
      const [then] = await readProducts(all.observer, [productId]);
      expect(then?.version).toBe((seen?.version ?? 0) + 1);
    }
  });
});

/** Another set, or the same the other way round, for who has seen the product as it is. */
function wish(seen: ProductRows | undefined, isReplacement: boolean, name: string): Call {
  if (!seen) throw new Error('There is no such product');
  const { id: productId, version: expectedVersion, live } = seen;
  const images = ['a', 'b'].map(letter => ({ source: { url: `https://example.com/${name}${letter}.jpg` } }));
  return isReplacement
    ? { name: 'replaceProductImages', input: { productId, images, expectedVersion } }
    : {
        name: 'reorderProductImages',
        productId,
        imageIds: live.map(({ id }) => id).reverse(),
        expectedVersion,
      };
}
