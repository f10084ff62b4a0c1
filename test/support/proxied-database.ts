import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type DatabaseOptions, type OpenDatabase, openDatabase } from '../../src/data/database.ts';
import { createTestDatabase } from './service.ts';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** A pool of few connections and short waits, behind a proxy that misbehaves when told to; both anew for each test. */
export interface ProxiedDatabase {
  proxy: TcpProxy;
  /** The one that was opened last. */
  database: OpenDatabase;
  open(options?: Partial<DatabaseOptions>): void;
}

export function useProxiedDatabase(): ProxiedDatabase {
  let server: Awaited<ReturnType<typeof createTestDatabase>>;
  let proxy: TcpProxy;
  let database: OpenDatabase;
  beforeAll(async () => {
    server = await createTestDatabase();
  });
  afterAll(() => server.drop());
  beforeEach(async () => {
    proxy = await openTcpProxy(Number(new URL(server.url).port));
  });
  afterEach(async () => {
    await proxy.close();
    await database.close();
  });
  return {
    get proxy() {
      return proxy;
    },
    get database() {
      return database;
    },
    open(options = {}) {
      const url = new URL(server.url);
      url.port = String(proxy.port);
      database = openDatabase(url.href, { maxConnections: 2, waitMs: 300, statementMs: 400, ...options });
    },
  };
}
