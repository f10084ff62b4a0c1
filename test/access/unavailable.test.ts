import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { createSchema, createYoga } from 'graphql-yoga';
import { expect, test } from 'vitest';
import { DatabaseUnavailable } from '../../src/data/unavailable.ts';
import { useAccess } from '../../src/graphql/access.ts';
import { createMaskError } from '../../src/graphql/mask-error.ts';
import { createLog } from '../../src/log.ts';

test('while the keys cannot be read from the database callers are told to come again', async () => {
  const log = createLog('silent');
  const failed = new Error('Failed query', { cause: new DatabaseUnavailable('no connection') });
  const authentication = {
    authenticate: () => Promise.reject(failed),
    isClosed: () => Promise.reject(failed),
  };
  const yoga = createYoga({
    schema: createSchema({ typeDefs: 'type Query { name: String }' }),
    logging: false,
    maskedErrors: { maskError: createMaskError(log) },
    plugins: [useAccess(authentication, log)],
  });
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query": "{ name }"}',
  };
  const response = await yoga.fetch('http://localhost/graphql', init, {
    req: new IncomingMessage(new Socket()),
  });
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await response.text()).toContain('SERVICE_UNAVAILABLE');
});
