import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';

/** What a service answers; the short way is open only to bodies whose length is told beforehand. */
export async function ask({ url }: { url: string }, body: object, isShort: boolean): Promise<string> {
  const json = JSON.stringify(body);
  const length = isShort && { 'content-length': String(Buffer.byteLength(json)) };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { 'content-type': 'application/json', accept: 'application/json', ...length };
  const asked = request(`${url}/graphql`, { method: 'POST', headers });
  asked.once('error', reject).once('response', response => resolve(text(response)));
  asked.write(json);
  asked.end();
  return promise;
}

/** The answer, which must have the same bytes in both ways. The third time at the latest it goes by a plan. */
export async function askBothWays(service: { url: string }, body: object): Promise<string> {
  const ordinary = await ask(service, body, false);
  for (let time = 0; time < 4; time++) expect(await ask(service, body, true)).toBe(ordinary);
  return ordinary;
}
