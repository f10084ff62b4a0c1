import { describe, expect, test } from 'vitest';
import { createBodyMemory } from '../../src/importing/body-memory.ts';

describe('a buffer for a body', () => {
  test.each([0, 1, 65_536, 65_537, 300_000, 20_000_000])('has room for %d bytes', bytes => {
    expect(createBodyMemory(4).openShare().allocate(bytes).length).toBeGreaterThanOrEqual(bytes);
  });

  test('serves another body once it is given back', () => {
    const bodies = createBodyMemory(4);
    const share = bodies.openShare();
    const buffer = share.allocate(300_000);
    share.giveBack();
    expect(bodies.openShare().allocate(290_000)).toBe(buffer);
  });

  test('serves no two bodies at once', () => {
    const bodies = createBodyMemory(4);
    const share = bodies.openShare();
    share.allocate(300_000);
    share.giveBack();
    const [one, other] = [bodies.openShare().allocate(300_000), bodies.openShare().allocate(300_000)];
    expect(one).not.toBe(other);
    share.giveBack();
    expect(bodies.openShare().allocate(300_000)).not.toBe(one);
  });

  test('that is not given back serves none: somebody may still look at it', () => {
    const bodies = createBodyMemory(4);
    const kept = bodies.openShare();
    const buffer = kept.allocate(300_000);
    kept[Symbol.dispose]();
    expect(bodies.openShare().allocate(300_000)).not.toBe(buffer);
  });

  test.each([
    ['is much larger', 900_000, 100_000],
    ['is too small', 100_000, 900_000],
    ['would keep much memory', 2_000_000, 2_000_000],
  ])('that %s serves none', (_what, before, after) => {
    const bodies = createBodyMemory(4);
    const share = bodies.openShare();
    const buffer = share.allocate(before);
    share.giveBack();
    expect(bodies.openShare().allocate(after)).not.toBe(buffer);
  });

  test('is kept for as many bodies as there may be at once', () => {
    const bodies = createBodyMemory(2);
    const share = bodies.openShare();
    const buffers = new Set([1, 2, 3].map(() => share.allocate(100_000)));
    share.giveBack();
    const next = bodies.openShare();
    const known = [1, 2, 3].filter(() => buffers.has(next.allocate(100_000)));
    expect(known).toHaveLength(2);
  });
});
