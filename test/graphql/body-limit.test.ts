import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openTestService();
});
afterAll(() => service.close());

/** A query of as many bytes. */
function bodyOf(bytes: number): string {
  const body = JSON.stringify({ query: '{ imageCount }', variables: { padding: '' } });
  return body.replace('""', `"${'x'.repeat(bytes - body.length)}"`);
}

async function post(body: BodyInit): Promise<{ status: number; text: string }> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body, duplex: 'half' };
  const response = await fetch(`${service.url}/graphql`, init);
  return { status: response.status, text: await response.text() };
}

const announced = (text: string) => text;
/** Its length is not said beforehand. */
const streamed = (text: string) => new Blob([text]).stream();

test.each([
  ['announced', announced],
  ['streamed', streamed],
])('a body of 4 MB that is %s is read', async (_name, give) => {
  expect(await post(give(bodyOf(4_000_000)))).toEqual({ status: 200, text: '{"data":{"imageCount":0}}' });
});

test.each([
  ['announced', announced],
  ['streamed', streamed],
])('one of a byte more that is %s is refused', async (_name, give) => {
  const { status, text } = await post(give(bodyOf(4_000_001)));
  expect(status).toBe(413);
  expect(JSON.parse(text).errors).toMatchObject([
    {
      message: 'The request has more than 4000000 bytes; send less at a time',
      extensions: { code: 'REQUEST_ENTITY_TOO_LARGE' },
    },
  ]);
});
