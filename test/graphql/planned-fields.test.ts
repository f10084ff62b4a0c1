import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { PlanFailed } from '../../src/graphql/plan-failed.ts';
import { Run, refuseNull } from '../../src/graphql/planned-fields.ts';

const createRun = () => new Run({ context: null, variables: {}, keepCalled: () => {}, written: undefined });
const asIs = refuseNull(value => value);

describe('a run', () => {
  test('is whole at once where nothing comes later', () => {
    const data = { a: 1 };
    expect(createRun().finish(data)).toBe(data);
  });

  test('waits for all that comes later, also for what that brings with it', async () => {
    const run = createRun();
    const data: Record<string, unknown> = { a: null, b: null };
    run.completeLater(data, 'a', turn(1), asIs);
    run.completeLater(data, 'b', turn([2]), value => {
      const list: unknown[] = [null];
      run.completeLater(list, 0, turn(value), asIs);
      return list;
    });
    expect(await run.finish(data)).toEqual({ a: 1, b: [[2]] });
  });

  test.each([
    ['before it is waited for', 2],
    ['while it is waited for', 0],
  ])('fails with a part that fails %s', async (_when, turns) => {
    const run = createRun();
    const data = { a: null, b: null };
    run.completeLater(data, 'a', Promise.resolve(null), asIs);
    run.completeLater(data, 'b', Promise.reject(new Error('no')), asIs);
    for (let passed = 0; passed < turns; passed++) await turn();
    await expect(run.finish(data)).rejects.toThrow(PlanFailed);
  });
});
