import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { makeToken, tokenSettings } from '../support/credentials.ts';
import { waitUntil } from '../support/embedded-service.ts';
import { type EventStream, openEventStream } from '../support/event-stream.ts';
import { fill, fromUrl, mutateWell, replace } from '../support/gallery.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';

interface Told {
  productImagesChanged: {
    product: {
      imagesVersion: number;
      marketingColor: string | null;
      thumbnail: { name: string } | null;
      images: { nodes: { name: string; altText: string | null; state: string }[] };
    };
  };
}

const follow = `subscription ($id: ID!) { productImagesChanged(productId: $id) { product {
  imagesVersion marketingColor thumbnail { name } images { nodes { name altText state } } } } }`;

let service: TestService;
let sql: postgres.Sql;
beforeEach(async () => {
  service = await openTestService({ MAX_SUBSCRIBERS: '250' });
  sql = postgres(service.databaseUrl, { max: 4, onnotice: () => {} });
});
afterEach(async () => {
  await sql.end();
  await service.close();
});

/** Resolves once the first change has told how things are. */
async function subscribe(id = '1', url = service.url): Promise<EventStream<Told>> {
  const stream = await openEventStream<Told>(url, follow, { id });
  await stream.find(() => true);
  return stream;
}

const namesOf = ({ productImagesChanged: { product } }: Told) => product.images.nodes.map(({ name }) => name);
const isOf =
  (...names: string[]) =>
  (told: Told) =>
    namesOf(told).join() === names.join();

async function countListening(): Promise<{ connections: number; watched: number }> {
  const [row] = await sql`select
    (select count(*)::int from pg_stat_activity where application_name = 'packshot changes' and datname = current_database()) as connections,
    (select count(*)::int from watched_products) as watched`;
  return { connections: row?.connections, watched: row?.watched };
}

const nobody = { connections: 0, watched: 0 };

describe('a subscriber is told', () => {
  test('how things are, at once', async () => {
    await fill(service, '1', ['a.jpg']);
    const stream = await openEventStream<Told>(service.url, follow, { id: '1' });
    expect(namesOf(await stream.find(() => true))).toEqual(['a.jpg']);
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream');
  });

  test('of a set that is replaced', async () => {
    const stream = await subscribe();
    await fill(service, '1', ['a.jpg', 'b.jpg']);
    // A product may be told amid a change, with a version that is never newer than what is shown.
    await stream.find(
      told => isOf('a.jpg', 'b.jpg')(told) && told.productImagesChanged.product.imagesVersion === 1,
    );
  });

  test('of texts, of the thumbnail and of the marketing colour', async () => {
    const [, second] = await fill(service, '1', ['a.jpg', 'b.jpg']);
    const stream = await subscribe();
    await mutateWell(service, 'updateProductImage', { id: second?.id, input: { altText: 'Sofa' } });
    await stream.find(told => told.productImagesChanged.product.images.nodes[1]?.altText === 'Sofa');
    await mutateWell(service, 'updateProductImage', { id: second?.id, input: { isThumbnail: true } });
    await stream.find(told => told.productImagesChanged.product.thumbnail?.name === 'b.jpg');
    await mutateWell(service, 'updateProduct', { id: '1', input: { marketingColor: 'GREEN' } });
    await stream.find(told => told.productImagesChanged.product.marketingColor === 'GREEN');
  });

  test.each(['PENDING', 'FAILED'])('of an image that becomes %s, whoever writes it', async state => {
    const [image] = await fill(service, '1', ['a.jpg']);
    const stream = await subscribe();
    await sql`update images set state = ${state} where id = ${image?.id ?? ''}`;
    await stream.find(told => told.productImagesChanged.product.images.nodes[0]?.state === state);
  });

  test('of images that are deleted for good and restored', async () => {
    const [image, other] = await fill(service, '1', ['a.jpg', 'b.jpg']);
    const stream = await subscribe();
    await mutateWell(service, 'deleteProductImages', { ids: [image?.id] });
    await stream.find(isOf('b.jpg'));
    await mutateWell(service, 'restoreProductImages', { ids: [image?.id] });
    await stream.find(isOf('a.jpg', 'b.jpg'), 1_000);
    await mutateWell(service, 'deleteProductImages', { ids: [other?.id], permanent: true });
    const last = () => stream.answers.at(-1)?.data;
    await waitUntil(() => isOf('a.jpg')(last() as Told));
  });

  test("of a change of the parent's images that a variation shows", async () => {
    await mutateWell(service, 'updateProduct', { id: '2', input: { kind: 'OFFER', parentId: '1' } });
    const stream = await subscribe('2');
    await fill(service, '1', ['parent.jpg']);
    await stream.find(isOf('parent.jpg'));
  });

  test('the last state of a burst', async () => {
    const stream = await subscribe();
    for (let n = 0; n < 30; n++) await fill(service, '1', [`${n}.jpg`]);
    await stream.find(isOf('29.jpg'));
    expect(stream.answers.length).toBeLessThanOrEqual(31);
  });

  test('of what a transaction wrote that had begun before', async () => {
    await fill(service, '1', ['a.jpg']);
    const { promise: written, resolve: commit } = Promise.withResolvers<void>();
    const writing = sql.begin(async transaction => {
      await transaction`update images set name = 'late.jpg'`;
      await written;
    });
    await waitUntil(async () => (await sql`select from pg_locks where mode = 'RowExclusiveLock'`).length > 0);
    const stream = await subscribe();
    commit();
    await writing;
    await stream.find(isOf('late.jpg'));
  });
});

test('a subscriber is not told of other products, nor of what a worker claims', async () => {
  await fill(service, '1', ['a.jpg']);
  const stream = await subscribe();
  // The change before it may be told once more.
  await sleep(300);
  const told = stream.answers.length;
  await fill(service, '2', ['b.jpg']);
  await sql`update images set import_claim = gen_random_uuid() where product_id = 1`;
  await sleep(300);
  expect(stream.answers).toHaveLength(told);
});

test('a change that nobody watches notifies nobody', async () => {
  const heard: string[] = [];
  const { unlisten } = await sql.listen('packshot_changes', payload => heard.push(payload));
  await fill(service, '1', ['a.jpg']);
  await subscribe('2');
  await fill(service, '1', ['b.jpg']);
  await sql.notify('packshot_changes', 'end');
  await waitUntil(() => heard.includes('end'));
  await unlisten();
  expect(heard).toEqual(['end']);
});

test('a change of 2,000 products in one statement is told of each', async () => {
  await sql`insert into products (id) select 9223372036854770000 + n from generate_series(1, 2000) n`;
  const streams = await Promise.all(['9223372036854770001', '9223372036854772000'].map(id => subscribe(id)));
  await sql`insert into watched_products select id, pid, backend_start from products,
    pg_stat_activity where pid = pg_backend_pid() on conflict do nothing`;
  await sql`update products set marketing_color = 'RED'`;
  for (const stream of streams) {
    await stream.find(told => told.productImagesChanged.product.marketingColor === 'RED');
  }
});

test('two hundred subscribers are told within a second, for the price of one', async () => {
  const streams = await Promise.all(Array.from({ length: 200 }, () => subscribe()));
  service.statements.length = 0;
  const startedAt = performance.now();
  await sql`insert into products (id, marketing_color) values (1, 'RED')`;
  await Promise.all(
    streams.map(stream => stream.find(told => told.productImagesChanged.product.marketingColor === 'RED')),
  );
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  expect(service.statements.length).toBeLessThanOrEqual(6);
});

test('holds nobody up, also where it takes whatever comes, as urql asks', async () => {
  const takesAll = { accept: 'application/json, text/event-stream, multipart/mixed' };
  const streams = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      openEventStream<Told>(service.url, follow, { id: n + 1 }, takesAll),
    ),
  );
  await Promise.all(streams.map(stream => stream.find(() => true)));
  const answers = Array.from({ length: 100 }, () => service.query('{ imageCount }'));
  expect(await Promise.all(answers)).toEqual(answers.map(() => ({ imageCount: 0 })));
});

describe('who leaves', () => {
  test('frees everything: the connection goes with the last', async () => {
    const [one, two, three] = await Promise.all([subscribe('1'), subscribe('2'), subscribe('2')]);
    expect(await countListening()).toEqual({ connections: 1, watched: 2 });
    two?.leave();
    await sleep(100);
    expect(await countListening()).toEqual({ connections: 1, watched: 2 });
    three?.leave();
    await waitUntil(async () => (await countListening()).watched === 1);
    one?.leave();
    await waitUntil(async () => (await countListening()).connections === 0);
    expect(await countListening()).toEqual(nobody);
  });

  test('without waiting for the answer frees everything too', async () => {
    const { port } = new URL(service.url);
    const body = JSON.stringify({ query: follow, variables: { id: '1' } });
    for (let n = 0; n < 20; n++) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write(
        `POST /graphql HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      await sleep(n % 5);
      socket.destroy();
    }
    await waitUntil(async () => (await countListening()).watched === 0);
    await waitUntil(async () => (await countListening()).connections === 0);
  });

  test('makes room for others', async () => {
    const small = await openTestService({ MAX_SUBSCRIBERS: '2' });
    onTestFinished(() => small.close());
    const [one] = await Promise.all([subscribe('1', small.url), subscribe('2', small.url)]);
    const refused = await openEventStream<Told>(small.url, follow, { id: '3' });
    await refused.ended;
    expect(refused.response.status).toBe(503);
    expect(refused.response.headers.get('retry-after')).toBe('5');
    expect(refused.answers[0]?.errors).toMatchObject([
      {
        message: '2 subscriptions are open; at most 2; try again later',
        extensions: { code: 'TOO_MANY_SUBSCRIBERS' },
      },
    ]);
    one?.leave();
    await waitUntil(async () => {
      const next = await openEventStream<Told>(small.url, follow, { id: '3' });
      return next.response.ok;
    });
  });
});

describe('of strangers of one network', () => {
  const by = (sub: string) => ({ authorization: `Bearer ${makeToken({ sub })}` });
  const from = (address: string) => ({ 'x-forwarded-for': address });

  async function openGuarded(settings: Record<string, string>): Promise<TestService> {
    const guarded = await openTestService({
      ...tokenSettings,
      PUBLIC_READ: 'on',
      TRUSTED_PROXIES: '1',
      ...settings,
    });
    onTestFinished(() => guarded.close());
    return guarded;
  }

  const ask = ({ url }: TestService, headers: Record<string, string>) =>
    openEventStream<Told>(url, follow, { id: '1' }, headers);

  test.each([
    ['as many as are set', { MAX_STRANGER_SUBSCRIBERS: '2' }],
    ['else a tenth of all', { MAX_SUBSCRIBERS: '20' }],
  ])('there are %s, however many others have', async (_name, settings) => {
    const guarded = await openGuarded(settings);
    const callers = [from('192.0.2.1'), from('192.0.2.2'), from('2001:db8::1')];
    for (const headers of callers) {
      for (let n = 0; n < 2; n++) expect((await ask(guarded, headers)).response.status).toBe(200);
    }
    for (const headers of [...callers, from('2001:db8::ffff')]) {
      const refused = await ask(guarded, headers);
      await refused.ended;
      expect(refused.response.status).toBe(503);
      expect(refused.response.headers.get('retry-after')).toBe('5');
      expect(refused.answers[0]?.errors).toMatchObject([
        {
          message: '2 subscriptions of strangers from this network are open; at most 2; try again later',
          extensions: { code: 'TOO_MANY_SUBSCRIBERS' },
        },
      ]);
    }
    for (let n = 0; n < 3; n++) {
      expect((await ask(guarded, { ...by('shop'), ...from('192.0.2.1') })).response.status).toBe(200);
    }
  });

  test('one that ends makes room for another, however it ends', async () => {
    const guarded = await openGuarded({ MAX_STRANGER_SUBSCRIBERS: '1' });
    const first = await ask(guarded, from('192.0.2.1'));
    expect((await ask(guarded, from('192.0.2.1'))).response.status).toBe(503);
    first.leave();
    await waitUntil(async () => (await ask(guarded, from('192.0.2.1'))).response.ok);
    for (let n = 0; n < 10; n++) {
      const leaving = AbortSignal.timeout(n);
      const sent = fetch(`${guarded.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...from('192.0.2.2') },
        body: JSON.stringify({ query: follow, variables: { id: '1' } }),
        signal: leaving,
      });
      await sent.then(response => response.text()).catch(() => {});
    }
    await waitUntil(async () => (await ask(guarded, from('192.0.2.2'))).response.ok);
  });

  test('there may be any number where no credentials are set up', async () => {
    const open = await openTestService({ MAX_STRANGER_SUBSCRIBERS: '1' });
    onTestFinished(() => open.close());
    for (let n = 0; n < 3; n++) expect((await ask(open, {})).response.status).toBe(200);
  });
});

test('a client that takes nothing holds one change at the most, and gets the last', async () => {
  const names = Array.from({ length: 40 }, (_, n) => `${'x'.repeat(200)}${n}.jpg`);
  const query = `subscription { productImagesChanged(productId: 1) { product { marketingColor images(first: 250) { nodes {
    ${Array.from({ length: 15 }, (_, n) => `n${n}: name`).join(' ')} } } } } }`;
  await replace(service, { productId: '1', images: names.map(fromUrl) });
  const body = JSON.stringify({ query });
  const socket = connect({ port: Number(new URL(service.url).port), host: '127.0.0.1' });
  await once(socket, 'connect');
  let text = '';
  socket.setEncoding('utf8').on('data', chunk => {
    text += chunk;
  });
  socket.write(
    `POST /graphql HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await waitUntil(() => text.includes('"data"'));
  socket.pause();
  // Each is some 120 KB, which the kernel takes a few MB of.
  for (let n = 0; n < 150; n++) {
    await sql`update products set marketing_color = ${`COLOR-${n}`} where id = 1`;
    await sleep(30);
  }
  socket.resume();
  await waitUntil(() => text.includes('COLOR-149"'));
  socket.destroy();
  const told = text.match(/"COLOR-\d+"/g) ?? [];
  expect(told.at(-1)).toBe('"COLOR-149"');
  expect(told.length).toBeLessThan(120);
}, 30_000);

describe('a subscription is refused', () => {
  async function ask(query: string, accept: string): Promise<{ status: number; errors: object[] }> {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ query, variables: { id: '1' } }),
    });
    const text = await response.text();
    const { errors } = JSON.parse(/^data: (.+)$/m.exec(text)?.[1] ?? text);
    return { status: response.status, errors };
  }

  test.each(['application/json', 'application/graphql-response+json', 'application/json, multipart/mixed'])(
    'to who takes %s and no stream',
    async accept => {
      const { status, errors } = await ask(follow, accept);
      expect(status).toBe(406);
      expect(errors).toMatchObject([{ extensions: { code: 'NOT_ACCEPTABLE' } }]);
      expect(await countListening()).toEqual(nobody);
    },
  );

  test.each([
    [
      'an id that is none',
      'subscription { productImagesChanged(productId: "sofa") { product { id } } }',
      'BAD_USER_INPUT',
    ],
    [
      'a field that is unknown',
      'subscription { productImagesChanged(productId: 1) { sofa } }',
      'GRAPHQL_VALIDATION_FAILED',
    ],
    [
      'events that would cost too much',
      `subscription { productImagesChanged(productId: 1) { product { images(first: 250) { nodes {
        product { images(first: 250) { nodes { id name } } } } } } } }`,
      'OPERATION_TOO_COSTLY',
    ],
  ])('for %s', async (_name, query, code) => {
    const { errors } = await ask(query, 'text/event-stream');
    expect(errors).toMatchObject([{ extensions: { code } }]);
    expect(await countListening()).toEqual(nobody);
  });
});

test('what goes wrong on our side is hidden, and the stream goes on', async () => {
  await sql`alter table images rename to gone`;
  const stream = await openEventStream<Told>(service.url, follow, { id: '1' });
  await waitUntil(() => stream.answers.length > 0);
  const told = stream.answers[0]?.errors?.map(({ message, extensions }) => `${extensions.code}: ${message}`);
  expect(new Set(told)).toEqual(
    new Set(['INTERNAL_SERVER_ERROR: Something went wrong on our side; it has been logged.']),
  );
  await sql`alter table gone rename to images`;
  await fill(service, '1', ['a.jpg']);
  await stream.find(isOf('a.jpg'));
});

test('what could not be read for a moment is told again', async () => {
  const [image] = await fill(service, '1', ['a.jpg']);
  const stream = await subscribe();
  await sql.begin(async transaction => {
    await transaction`lock table images in access exclusive mode`;
    // Without triggers: nobody is told of it but now, before it can be read.
    await transaction`set local session_replication_role = replica`;
    await transaction`update images set name = 'b.jpg' where id = ${image?.id ?? ''}`;
    await sql`select pg_notify('packshot_changes', '1')`;
    await waitUntil(() =>
      stream.answers.some(({ errors }) => errors?.[0]?.extensions.code === 'SERVICE_UNAVAILABLE'),
    );
  });
  await stream.find(isOf('b.jpg'));
});

test('a silent stream has heartbeats', async () => {
  const stream = await subscribe();
  const before = stream.countHeartbeats();
  // Yoga beats every 12 seconds, and every 0.3 where NODE_ENV is test.
  await waitUntil(() => stream.countHeartbeats() >= before + 2);
});

describe('behind a database that goes and comes back', () => {
  async function openBehindProxy() {
    const { hostname, port, pathname, username, password } = new URL(service.databaseUrl);
    const proxy = await openTcpProxy(Number(port));
    const credentials = password ? `${username}:${password}` : username;
    const behind = await openTestService({
      DATABASE_URL: `postgres://${credentials}@${hostname}:${proxy.port}${pathname}`,
    });
    onTestFinished(async () => {
      await behind.close();
      await proxy.close();
    });
    return { proxy, behind };
  }

  test('subscribers are told what they missed', async () => {
    const { proxy, behind } = await openBehindProxy();
    const streams = await Promise.all([subscribe('1', behind.url), subscribe('2', behind.url)]);
    await proxy.refuse();
    await fill(service, '1', ['missed.jpg']);
    await sleep(300);
    await proxy.listen();
    await streams[0]?.find(isOf('missed.jpg'));
    await fill(service, '2', ['next.jpg']);
    await streams[1]?.find(isOf('next.jpg'));
  });

  test('a new subscriber is asked to come again', async () => {
    const { proxy, behind } = await openBehindProxy();
    await proxy.refuse();
    const refused = await openEventStream<Told>(behind.url, follow, { id: '1' });
    await refused.ended;
    expect(refused.response.status).toBe(503);
    expect(refused.answers[0]?.errors).toMatchObject([{ extensions: { code: 'SERVICE_UNAVAILABLE' } }]);
    await proxy.listen();
    await subscribe('1', behind.url);
  });
});
