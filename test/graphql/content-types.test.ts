import { afterAll, beforeAll, expect, test } from 'vitest';
import { countAll } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

const mutation =
  'mutation { replaceProductImages(input: { productId: "1", images: [{ source: { url: "https://example.com/a" } }] }) { userErrors { message } } }';

function post(type: string, body: string): Promise<Response> {
  return fetch(`${service.url}/graphql`, { method: 'POST', headers: { 'content-type': type }, body });
}

test.for([
  ['application/x-www-form-urlencoded', `query=${encodeURIComponent(mutation)}`],
  ['text/plain', JSON.stringify({ query: mutation })],
  ['text/plain; application/json', JSON.stringify({ query: mutation })],
  ['TEXT/HTML', JSON.stringify({ query: mutation })],
] as const)('a form on a foreign page cannot change anything as %s', async ([type, body]) => {
  const response = await post(type, body);
  const { errors } = (await response.json()) as { errors: { message: string; extensions: object }[] };
  expect(response.status).toBe(415);
  expect(errors).toEqual([
    {
      message: `content-type is ${JSON.stringify(type)}; send application/json`,
      extensions: { code: 'UNSUPPORTED_MEDIA_TYPE' },
    },
  ]);
  expect(await countAll(service)).toBe(0);
});

test.for(['application/json', 'application/json; charset=utf-8', 'application/graphql+json'])(
  'takes %s',
  async type => {
    const response = await post(type, JSON.stringify({ query: '{ imageCount }' }));
    expect(await response.json()).toEqual({ data: { imageCount: 0 } });
  },
);

test('a mutation by GET is refused', async () => {
  const response = await fetch(`${service.url}/graphql?query=${encodeURIComponent(mutation)}`);
  expect(response.status).toBe(405);
  expect(await countAll(service)).toBe(0);
});

test.for(['variables', 'extensions'])(
  '%s of a GET that are no JSON are told as a mistake of the client',
  async name => {
    const response = await fetch(`${service.url}/graphql?query={imageCount}&${name}={`);
    const { errors } = (await response.json()) as { errors: object[] };
    expect(response.status).toBe(400);
    expect(errors).toEqual([
      { message: `${name} in the address is "{"; it must be JSON`, extensions: { code: 'BAD_REQUEST' } },
    ]);
  },
);

test('an accept header of a thousand types that are not spoken is answered in one line', async () => {
  const accept = Array.from({ length: 1_000 }, (_, n) => `a/b${n}`).join();
  const response = await fetch(`${service.url}/graphql?query={imageCount}`, { headers: { accept } });
  expect(response.status).toBe(406);
  expect(response.headers.get('accept')?.length).toBeLessThan(300);
});
