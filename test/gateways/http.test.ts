import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service?.close());

/** A body whose length nobody was told goes the ordinary way. */
const fetchInChunks: typeof fetch = (url, init) => {
  const { body } = init ?? {};
  if (typeof body !== 'string') return fetch(url, init);
  const chunked: RequestInit & { duplex: 'half' } = {
    ...init,
    body: new Blob([body]).stream(),
    duplex: 'half',
  };
  return fetch(url, chunked);
};

describe.each([
  ['short', fetch],
  ['ordinary', fetchInChunks],
] as const)('GraphQL over HTTP, the %s way', (_way, fetchFn) => {
  const audits = serverAudits({ url: () => `${service.url}/graphql`, fetchFn });

  test.for(audits.map(audit => [audit.name, audit] as const))('%s', async ([, audit]) => {
    // What comes again is answered by a plan.
    for (let time = 0; time < 4; time++) expect(await audit.fn()).toMatchObject({ status: 'ok' });
  });
});
