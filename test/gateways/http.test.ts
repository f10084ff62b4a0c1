import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service?.close());

describe('GraphQL over HTTP', () => {
  const audits = serverAudits({ url: () => `${service.url}/graphql` });

  test.for(audits.map(audit => [audit.name, audit] as const))('%s', async ([, audit]) => {
    expect(await audit.fn()).toMatchObject({ status: 'ok' });
  });
});
