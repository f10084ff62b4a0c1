import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openApp } from '../../src/app.ts';
import { parseConfig } from '../../src/config.ts';
import { type Database, openDatabase } from '../../src/data/database.ts';
import { createTestDatabase, type Answer as GraphQLAnswer } from '../support/service.ts';
import type { Client } from './client.ts';
import { createHttpClient } from './http-client.ts';
import type { Inspected } from './invariants.ts';
import { type Limits, settingsOf } from './vocabulary.ts';

/** A service of its own on the common database, over one connection: what that one writes, this writer has done. */
export interface Writer extends Inspected {
  client: Client;
  pid: number;
  /** Of the last line of the log that was taken. */
  lastSeq: number;
  /** What the service logged as an error: the cause of what it hides from clients. */
  logged: string[];
}

export interface Writers {
  writers: Writer[];
  /** Another look at the common database, beside all services. */
  observer: Database;
  close(): Promise<void>;
}

/** As many services as writers, on one new database and one folder of files, with a log of all that is written. */
export async function openWriters(count: number, limits: Limits): Promise<Writers> {
  await using opening = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'packshot-test-'));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  const database = await createTestDatabase();
  opening.defer(() => database.drop());
  const settings = { ...settingsOf(limits), DATABASE_URL: database.url, DATA_DIR: directory };
  const writers: Writer[] = [];
  while (writers.length < count) {
    const logged: string[] = [];
    const log = pino({ level: 'error' }, { write: line => logged.push(line) });
    const app = await openApp(parseConfig({ PORT: '0', DATABASE_CONNECTIONS: '1', ...settings }), { log });
    opening.defer(() => app.close());
    writers.push(await createWriter(app, logged));
  }
  const observer = openDatabase(database.url, { maxConnections: 4 });
  opening.defer(() => observer.close());
  await observer.db.execute(deedLog);
  const opened = opening.move();
  return { writers, observer: observer.db, close: () => opened.disposeAsync() };
}

async function createWriter(
  app: { url: string } & Pick<Inspected, 'db' | 'storage'>,
  logged: string[],
): Promise<Writer> {
  const query = async <Data>(document: string, variables?: object): Promise<Data> => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: document, variables }),
    });
    const { data, errors } = (await response.json()) as GraphQLAnswer<Data>;
    if (errors) throw new Error(`${JSON.stringify(errors)}; logged: ${logged.at(-1)}`);
    return data;
  };
  const service = { query, db: app.db, storage: app.storage };
  const [row] = await app.db.execute<{ pid: number }>('select pg_backend_pid() as pid');
  return { ...service, client: createHttpClient(service), pid: row?.pid ?? 0, lastSeq: 0, logged };
}

// Written while committing, one transaction at a time: the lines come in the order in which changes become visible.
const deedLog = `
  create table deeds (pid integer default pg_backend_pid(), seq bigserial, product_id bigint, version integer,
    purged_id bigint, primary key (pid, seq));
  create function log_product() returns trigger language plpgsql as $$ begin
    perform pg_advisory_xact_lock(1);
    insert into deeds (product_id, version) values (new.id, new.images_version);
    return null;
  end $$;
  create constraint trigger log_products after insert or update on products
    deferrable initially deferred for each row execute function log_product();
  create function log_purge() returns trigger language plpgsql as $$ begin
    perform pg_advisory_xact_lock(1);
    insert into deeds (product_id, purged_id) values (old.product_id, old.id);
    return null;
  end $$;
  create constraint trigger log_purges after delete on images
    deferrable initially deferred for each row execute function log_purge();`;

export interface Deeds {
  /** Of the last line; null where nothing was written. */
  seq: number | null;
  /** The last version that was written, by product. */
  versions: Record<string, number>;
  purgedIds: string[];
}

/** What a writer has written since it was last asked. */
export async function takeDeeds(observer: Database, writer: Writer): Promise<Deeds> {
  const rows = await observer.execute<{
    seq: string;
    productId: string;
    version: number | null;
    purgedId: string | null;
  }>(
    `select seq, product_id as "productId", version, purged_id as "purgedId" from deeds
     where pid = ${writer.pid} and seq > ${writer.lastSeq} order by seq`,
  );
  const seq = rows.length > 0 ? Number(rows.at(-1)?.seq) : null;
  writer.lastSeq = seq ?? writer.lastSeq;
  const versions = rows.flatMap(({ productId, version }) => (version === null ? [] : [[productId, version]]));
  return {
    seq,
    versions: Object.fromEntries(versions),
    purgedIds: rows.flatMap(({ purgedId }) => purgedId ?? []),
  };
}
