import { expect, onTestFinished, test } from 'vitest';
import { keepLog } from './support/log-lines.ts';
import { openTestService } from './support/service.ts';
import { openSourceServer } from './support/source-server.ts';

const secret = 's3cret';

/** What a busy service is asked, and how it goes wrong. */
test('the whole log of a busy service holds no secret, no SQL and no parameter', async () => {
  const { log, text, lines } = keepLog('trace');
  const source = await openSourceServer();
  onTestFinished(() => source.close());
  const service = await openTestService(
    { IMPORTING: 'on', ALLOW_PRIVATE_SOURCES: 'on', LOG_LEVEL: 'trace' },
    { log },
  );
  const post = (query: string, headers: Record<string, string> = {}) =>
    fetch(`${service.url}/graphql?token=${secret}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
    }).then(response => response.text());
  const create = (url: string) =>
    post(`mutation { createProductImage(input: {productId: 4711001, altText: "${secret}", source: {url: "${url}"}})
      { image { id } } }`);

  for (const path of ['/absent.png', '/hangs.png', '/lies.png', '/moves.png']) {
    await create(source.url(`${path}?token=${secret}`));
  }
  source.put(`/lies.png?token=${secret}`, Buffer.from(`<html>${secret}</html>`));
  source.put(`/moves.png?token=${secret}`, response =>
    response.writeHead(302, { location: `http://user:${secret}@127.0.0.1:1/?x=${secret}` }).end(),
  );
  await create(`http://${secret}@127.0.0.1:9/a.png`);
  await expect
    .poll(() => lines().filter(({ msg }) => msg.includes('could not be imported')).length)
    .toBeGreaterThan(2);
  await post('{ imageCount }', {
    authorization: `Bearer ${secret}`,
    cookie: `session=${secret}`,
    'x-api-key': secret,
    'x-request-id': 'busy',
  });
  await post(`{ productImage(id: "${secret}") { id } }`);
  await fetch(`${service.url}/images/k1.${secret}7890123456789012/${'a'.repeat(64)}.jpg`);
  await fetch(`${service.url}/sheet?after=${secret}`);

  await service.db.execute('alter table images rename to images_out_of_reach');
  const answer = JSON.parse(
    await post('{ productImage(id: 4711002) { id altText } }', { 'x-request-id': 'broken' }),
  );
  await create(source.url(`/more.png?token=${secret}`));
  await expect.poll(() => text()).toContain('Looking for images to import failed');
  await service.db.execute('alter table images_out_of_reach rename to images');
  await service.close();

  expect(answer.errors).toMatchObject([
    { extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'broken' } },
  ]);
  const failure = lines().find(({ msg }) => msg === 'A request failed');
  expect(failure).toMatchObject({ requestId: 'broken', err: { type: 'PostgresError', code: '42P01' } });
  expect(text()).toContain('"requestId":"busy"');
  expect(text()).not.toContain(secret);
  expect(text()).not.toContain('4711002');
  expect(text()).not.toContain(new URL(service.databaseUrl).password);
  expect(text()).not.toMatch(/\b(select|insert into|update|delete from)\b.+\b(from|values|set|where)\b/i);
});
