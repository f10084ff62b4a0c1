import { getHeapSpaceStatistics } from 'node:v8';
import { expect, test } from 'vitest';
import { createRequestContext, type ServiceContext } from '../../src/graphql/context.ts';

// V8 collects what is young often and cheaply, the rest seldom. One thing in old space that knows of a request is enough
// to bring all of the request there, and the next one that was made from it: both collections then become dear.

const requests = 20_000;
/** Of a request; what is kept of one is some hundreds of bytes at least. */
const leastKept = 500;

const oldBytes = () =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ??
  Number.NaN;

/** Bytes that come into old space with each request: the median of five times, for now and then all is collected. */
async function measureGrowth(answerOne: (request: { payload: number[] }) => unknown): Promise<number> {
  const growths: number[] = [];
  for (let time = 0; time < 5; time += 1) {
    const before = oldBytes();
    for (let asked = 0; asked < requests; asked += 1) {
      const answering = answerOne({ payload: Array.from({ length: 100 }, () => asked) });
      if (answering instanceof Promise) await answering;
    }
    growths.push((oldBytes() - before) / requests);
  }
  return growths.sort((one, other) => one - other)[2] ?? Number.NaN;
}

const service = { db: {} } as ServiceContext;
const { signal } = new AbortController();
const contextOf = (request: { payload: number[] }) =>
  createRequestContext(service, { request: Object.assign(request, { signal }) });

test('a context leaves nothing in old space', async () => {
  expect(await measureGrowth(request => void contextOf(request))).toBeLessThan(leastKept);
});
