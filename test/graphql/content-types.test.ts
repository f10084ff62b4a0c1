import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
  ['application/vnd.api+json', JSON.stringify({ query: mutation })],
  ['application/jsonp', JSON.stringify({ query: mutation })],
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

test.for([
  'application/json',
  'application/json; charset=utf-8',
  'application/json;charset=UTF-8',
  'application/json ; charset=utf-8',
  'Application/JSON',
  'APPLICATION/JSON; charset="utf-8"',
  'application/graphql+json',
  'Application/GraphQL+JSON',
])('takes %s', async type => {
  for (let time = 0; time < 3; time++) {
    const response = await post(type, JSON.stringify({ query: '{ imageCount }' }));
    expect(await response.json()).toEqual({ data: { imageCount: 0 } });
  }
});

test.for(['application/graphql', 'Application/GraphQL ; charset=utf-8'])(
  'takes a document as %s',
  async type => {
    expect(await (await post(type, '{ imageCount }')).json()).toEqual({ data: { imageCount: 0 } });
  },
);

test.for(['multipart/form-data', 'Multipart/Form-Data ', 'MULTIPART/FORM-DATA'])(
  'takes parts as %s',
  async type => {
    const parts = { operations: '{"query": "{ imageCount }"}', map: '{}' };
    const body = Object.entries(parts).map(
      ([name, text]) => `--Ab\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`,
    );
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': `${type}; boundary=Ab`, 'graphql-require-preflight': '1' },
      body: `${body.join('')}--Ab--\r\n`,
    });
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

describe('who takes no answer that there is', () => {
  const create = mutation.replace('replaceProductImages', 'again: replaceProductImages');

  test.for(['text/html', 'application/xml, image/*;q=0.8', 'application/json; charset=latin1'])(
    'and says so by %s is told, and nothing is done',
    async accept => {
      const asked = [
        ...[mutation, create, '{ imageCount }'].map(query => ({
          method: 'POST',
          headers: { accept, 'content-type': 'application/json' },
          body: JSON.stringify({ query }),
        })),
        { method: 'POST', headers: { accept, 'content-type': 'application/graphql' }, body: mutation },
      ];
      for (const init of [...asked, ...asked])
        expect(await readRefusal(await fetch(endpoint(), init))).toEqual(accept);
      expect(
        await readRefusal(await fetch(`${endpoint()}?query={imageCount}`, { headers: { accept } })),
      ).toBe(accept);
      expect(await countAll(service)).toBe(0);
    },
  );

  test.for(['*/*', 'application/*', 'Application/JSON', 'text/html, application/json;q=0.1', ''])(
    'is not who says %s',
    async accept => {
      const response = await fetch(`${endpoint()}?query={imageCount}`, { headers: { accept } });
      expect([response.status, await response.json()]).toEqual([200, { data: { imageCount: 0 } }]);
    },
  );

  test('is told in one line, of however many types', async () => {
    const accept = Array.from({ length: 1_000 }, (_, n) => `a/b${n}`).join();
    const response = await fetch(`${endpoint()}?query={imageCount}`, { headers: { accept } });
    expect(response.status).toBe(406);
    expect(response.headers.get('accept')?.length).toBeLessThan(300);
    expect((await response.text()).length).toBeLessThan(400);
  });

  const endpoint = () => `${service.url}/graphql`;

  /** What was named as accepted. */
  async function readRefusal(response: Response): Promise<string | undefined> {
    expect([response.status, response.headers.get('content-type')]).toEqual([
      406,
      'application/json; charset=utf-8',
    ]);
    const { errors, data } = (await response.json()) as {
      errors: { message: string; extensions: object }[];
      data?: unknown;
    };
    expect([data, errors.length, errors[0]?.extensions]).toEqual([undefined, 1, { code: 'NOT_ACCEPTABLE' }]);
    return /^accept is (".*"); the answer would be /
      .exec(errors[0]?.message ?? '')
      ?.slice(1)
      .map(text => JSON.parse(text))[0];
  }
});
