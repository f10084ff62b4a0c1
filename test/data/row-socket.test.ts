import { once } from 'node:events';
import { type AddressInfo, connect, createServer, Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DataRows } from '../../src/data/data-rows.ts';
import { type OpenDatabase, openDatabase } from '../../src/data/database.ts';
import { RowSocket, RowsAside } from '../../src/data/row-socket.ts';
import { isUnavailability } from '../../src/data/unavailable.ts';
import { createIdentity } from '../support/self-signed.ts';
import { createTestDatabase } from '../support/service.ts';

// Rows are taken out of what comes from Postgres, however it is cut into pieces on its way.

let server: Awaited<ReturnType<typeof createTestDatabase>>;
beforeAll(async () => {
  server = await createTestDatabase();
});
afterAll(() => server.drop());

/** Passes on what the server says in pieces of so many bytes, each by itself. */
async function openCuttingProxy(pieceBytes: number) {
  const sockets: Socket[] = [];
  const listener = createServer(client => {
    const upstream = connect(Number(new URL(server.url).port), '127.0.0.1');
    sockets.push(client, upstream);
    client.setNoDelay(true);
    client.on('data', bytes => upstream.write(bytes)).on('error', () => {});
    upstream.on('error', () => {});
    let passed = Promise.resolve();
    upstream.on('data', (bytes: Buffer) => {
      passed = passed.then(async () => {
        for (let at = 0; at < bytes.length; at += pieceBytes) {
          client.write(bytes.subarray(at, at + pieceBytes));
          await new Promise(resolve => setImmediate(resolve));
        }
      });
    });
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy();
      listener.close();
    },
  };
}

async function withDatabase<Result>(url: string, work: (database: OpenDatabase) => Promise<Result>) {
  const database = openDatabase(url, { maxConnections: 1 });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

const withPort = (port: number) => Object.assign(new URL(server.url), { port: String(port) }).href;

/** The driver chooses one of several hosts itself, and gets all rows. */
function withTwoHosts(): string {
  const { host, href } = new URL(server.url);
  return href.replace(host, `${host},${host}`);
}

const many = sql`
  select n, repeat('é"', n % 7) as text, case when n % 3 = 0 then null else n * 0.5::float8 end as half,
    n % 2 = 0 as even, sha256(int4send(n)) as hash, '{"a": [1, null]}'::jsonb as json, 'infinity'::timestamptz as at
  from generate_series(1, 300) n`;

async function readMany({ db }: OpenDatabase) {
  const rows = await db.execute(many);
  // Nothing is left of one answer in the next.
  expect(await db.execute(sql`select 1 as one where false`)).toEqual([]);
  expect(await db.execute(sql`select null as nothing, '' as empty`)).toEqual([{ nothing: null, empty: '' }]);
  return rows;
}

test('rows are the same whether they are taken out or not', async () => {
  const driven = await withDatabase(withTwoHosts(), readMany);
  expect(driven).toHaveLength(300);
  expect(driven[1]).toEqual({
    n: 2,
    text: 'é"é"',
    half: 1,
    even: true,
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    json: { a: [1, null] },
    at: 'infinity',
  });
  expect(await withDatabase(server.url, readMany)).toEqual(driven);
});

/** Before Postgres, as a server that asks for encryption: 'S' is the answer to a client's request for it. */
async function openEncryptingProxy() {
  const secureContext = createSecureContext(createIdentity('localhost'));
  const sockets: Socket[] = [];
  const listener = createServer(client => {
    sockets.push(client);
    client
      .on('error', () => {})
      .once('data', () => {
        client.write('S');
        const secured = new TLSSocket(client, { isServer: true, secureContext });
        const upstream = connect(Number(new URL(server.url).port), '127.0.0.1');
        sockets.push(upstream);
        secured
          .on('error', () => {})
          .pipe(upstream.on('error', () => {}))
          .pipe(secured);
      });
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    url: `${withPort((listener.address() as AddressInfo).port)}?sslmode=require`,
    close() {
      for (const socket of sockets) socket.destroy();
      listener.close();
    },
  };
}

test('rows that come encrypted are the same', async () => {
  const proxy = await openEncryptingProxy();
  try {
    const plain = await withDatabase(server.url, readMany);
    expect(await withDatabase(proxy.url, readMany)).toEqual(plain);
  } finally {
    proxy.close();
  }
});

test('a connection that cannot even be begun is an error of the request, and of nobody else', async () => {
  // As Node itself fails where there is no route, or no descriptor left.
  const connecting = vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket) {
    process.nextTick(() => this.destroy(Object.assign(new Error('no route'), { code: 'ENETUNREACH' })));
    return this;
  });
  try {
    const error = await withDatabase(server.url, ({ db }) => db.execute(sql`select 1`)).catch(
      reason => reason,
    );
    expect(isUnavailability(error)).toBe(true);
    expect(connecting).toHaveBeenCalled();
  } finally {
    connecting.mockRestore();
  }
});

test.each([0, 5, -1])('what has no length that a row may have (%d) ends the connection', async length => {
  const socket = new RowSocket(new RowsAside());
  const errors: Error[] = [];
  socket.on('error', error => errors.push(error)).on('data', () => {});
  const bytes = Buffer.from('D....');
  bytes.writeInt32BE(length, 1);
  socket.emit('data', bytes);
  await new Promise(resolve => setImmediate(resolve));
  expect(socket.destroyed).toBe(true);
  expect(errors).toMatchObject([{ message: `A message of ${length} bytes came from the database` }]);
});

describe('in pieces', () => {
  test.each([1, 2, 3, 5, 7, 64, 1_000])('of %d bytes rows are whole', async pieceBytes => {
    const proxy = await openCuttingProxy(pieceBytes);
    try {
      const few = sql`select n, repeat('x', n) as text from generate_series(0, 40) n`;
      const rows = await withDatabase(withPort(proxy.port), ({ db }) => db.execute(few));
      expect(rows).toEqual(Array.from({ length: 41 }, (_, n) => ({ n, text: 'x'.repeat(n) })));
    } finally {
      proxy.close();
    }
  });
});

test('a row may be longer than what comes at once', async () => {
  const long = sql`select n, repeat('ab', 500000) as text, n as again from generate_series(1, 3) n`;
  const rows = await withDatabase(server.url, ({ db }) => db.execute(long));
  expect(rows).toEqual([1, 2, 3].map(n => ({ n, text: 'ab'.repeat(500_000), again: n })));
});

test('rows that came before an error are forgotten', async () => {
  await withDatabase(server.url, async ({ db }) => {
    const failing = sql`select 1000 / (200 - n) as n from generate_series(1, 300) n`;
    for (let round = 0; round < 3; round++) {
      await expect(db.execute(failing)).rejects.toMatchObject({ cause: { code: '22012' } });
      expect(await db.execute(sql`select 7 as seven`)).toEqual([{ seven: 7 }]);
    }
  });
});

test('rows of a statement that fails as it ends are forgotten, too', async () => {
  const put = vi.spyOn(RowsAside.prototype, 'put');
  await withDatabase(server.url, async ({ db }) => {
    await db.execute(sql`create table if not exists late (n int unique deferrable initially deferred)`);
    // With a parameter, as what has none is sent otherwise.
    const failing = sql`insert into late select ${1}::int from generate_series(1, 2) returning n`;
    for (let round = 0; round < 3; round++) {
      await expect(db.execute(failing)).rejects.toMatchObject({ cause: { code: '23505' } });
      expect(await db.execute(sql`select ${7}::int as seven`)).toEqual([{ seven: 7 }]);
    }
  });
  expect(put).toHaveBeenCalledTimes(6);
  expect(put.mock.contexts.map(aside => (aside as RowsAside).size)).toEqual(Array(6).fill(0));
  put.mockRestore();
});

test.each(['alone', 'of two'])('rows without columns are counted, the host being %s', async hosts => {
  await withDatabase(hosts === 'alone' ? server.url : withTwoHosts(), async ({ db }) => {
    expect(await db.execute(sql`select from generate_series(1, 3)`)).toEqual([{}, {}, {}]);
    expect(await db.execute(sql`select 1 as one`)).toEqual([{ one: 1 }]);
  });
});

test('each statement of a transaction gets its own, though they are sent before the first is answered', async () => {
  await withDatabase(server.url, ({ db }) =>
    db.transaction(async transaction => {
      const ask = (n: number) =>
        transaction.execute(sql`select ${n}::int as n, ${`${n}`} as text from generate_series(1, ${n}::int)`);
      const answers = await Promise.all([3, 0, 1, 2].map(async n => ask(n)));
      expect(answers).toEqual(
        [3, 0, 1, 2].map(n => Array.from({ length: n }, () => ({ n, text: String(n) }))),
      );
    }),
  );
});

test('rows are kept once, under a number of four bytes that nobody else has', () => {
  const aside = new RowsAside();
  const [one, other] = [new DataRows(), new DataRows()];
  const [first, second] = [one, other].map(rows => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(aside.put(rows));
    return bytes;
  });
  expect(aside.take([second ?? null, null])).toBe(other);
  expect(aside.take([first ?? null])).toBe(one);
  expect(() => aside.take([first ?? null])).toThrow('No rows are kept');
  expect(() => aside.take([Buffer.from('12')])).toThrow('No rows are kept');
  expect(() => aside.take([null])).toThrow('No rows are kept');
  expect(() => aside.take([])).toThrow('No rows are kept');
});
