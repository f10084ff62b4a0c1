import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;

beforeAll(async () => {
  service = await openTestService({ CORS_ORIGINS: 'https://shop.example' });
});
afterAll(() => service.close());

async function ask(query: string, headers: Record<string, string>, accept = 'application/json') {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, ...headers },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as { data?: object; errors?: object[]; extensions?: { time?: object } };
}

test('an answer has no time unless the request asks for it', async () => {
  expect(await ask('{ imageCount }', {})).toEqual({ data: { imageCount: expect.anything() } });
});

test.each(['1', '0', 'please'])('the header asks for it whatever it says: %s', async value => {
  const { extensions } = await ask('{ imageCount }', { 'x-packshot-time': value });
  expect(extensions?.time).toMatchObject({ duration: expect.any(Number) });
});

test.each([
  ['no syntax', '{'],
  ['no such field', '{ nothing }'],
])('an answer to a document with %s has it, too', async (_what, query) => {
  const { errors, extensions } = await ask(query, { 'x-packshot-time': '1' });
  expect(errors).toHaveLength(1);
  expect(extensions?.time).toMatchObject({ processing: expect.any(Number) });
});

test('browsers may send the header from pages that may call the API', async () => {
  const preflight = await fetch(`${service.url}/graphql`, {
    method: 'OPTIONS',
    headers: {
      origin: 'https://shop.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-packshot-time,x-request-id',
    },
  });
  expect(preflight.headers.get('access-control-allow-headers')).toContain('x-packshot-time');
});
