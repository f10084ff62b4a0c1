import { once } from 'node:events';
import { connect } from 'node:net';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEmbeddedPostgres } from '../../src/data/embedded.ts';
import { hasCode } from '../../src/data/embedded-owner.ts';
import { createLog } from '../../src/log.ts';
import { createSampleCatalogue } from '../../src/sample/catalogue.ts';
import { isRunning, kill, postmasterPid, waitUntil } from '../support/embedded-service.ts';
import {
  type Command,
  type Ended,
  type Installation,
  listProcessesOf,
  listTree,
  openInstallation,
  openInstallationForTest,
  type Service,
  within,
} from '../support/process.ts';

const signals: [string, (command: Command) => void][] = [
  ['SIGTERM', command => command.signal('SIGTERM')],
  ['SIGINT', command => command.signal('SIGINT')],
  ['Ctrl-C in a terminal', command => command.signalGroup('SIGINT')],
  ['a terminal that is closed', command => command.signalGroup('SIGHUP')],
];

const replace = `mutation ($url: URL!) {
  replaceProductImages(input: { productId: "7", images: [{ source: { url: $url } }] }) {
    images { sourceUrl }
    userErrors { message }
  }
}`;

interface Replaced {
  replaceProductImages: { images: { sourceUrl: string }[]; userErrors: object[] };
}

describe('a service with a request under way', () => {
  let installation: Installation;
  let service: Service;

  beforeAll(async () => {
    installation = await openInstallation();
    service = await installation.start({ SAMPLE: 'off' });
  });
  afterAll(async () => installation.close());

  describe.each(signals)('on %s', (name, send) => {
    const url = `https://shop.example/${encodeURIComponent(name)}.jpg`;
    let answer: Replaced;
    let ended: Ended;
    let left: number[];

    beforeAll(async () => {
      await service.query(replace, { url: 'https://shop.example/before.jpg' });
      const tree = listTree(service.pid);
      const held = await holdProduct('7', installation.postgresDirectory);
      const answered = service.query<Replaced>(replace, { url });
      await held.awaited();
      send(service);
      await waitUntil(() => refusesConnections(service));
      await held.release();
      answer = await answered;
      ended = await within(20_000, 'the end of the service', service.ended);
      left = [...tree.filter(isRunning), ...listProcessesOf(installation.folder)];
    });

    test('takes no more connections, and answers that request', () => {
      expect(answer.replaceProductImages).toEqual({ images: [{ sourceUrl: url }], userErrors: [] });
    });

    test('exits with 0 and without a complaint', () => {
      expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    });

    test('leaves no process running', () => {
      expect(left).toEqual([]);
    });

    test('leaves what the next start needs', async () => {
      service = await installation.start({ SAMPLE: 'off' });
      const found = await service.query('{ product(id: "7") { images { nodes { sourceUrl } } } }');
      expect(found).toEqual({ product: { images: { nodes: [{ sourceUrl: url }] } } });
    });
  });
});

describe('while the sample is drawn', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await openInstallation();
  });
  afterAll(async () => installation.close());

  test('kill -9 leaves nothing that draws on', async () => {
    const command = await startDrawing(installation);
    const drawing = listBesidesPostgres(command.pid, installation);
    await kill(command.pid);
    await waitUntil(() => !drawing.some(isRunning));
  });

  test('Ctrl-C in a terminal ends all, without a complaint', async () => {
    const command = await startDrawing(installation);
    const tree = listTree(command.pid);
    command.signalGroup('SIGINT');
    const ended = await within(20_000, 'the end of the service', command.ended);
    expect(tree.filter(isRunning)).toEqual([]);
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('SIGTERM ends all, and the next start has the whole catalogue', async () => {
    const other = await openInstallationForTest();
    const command = await startDrawing(other);
    const tree = listTree(command.pid);
    command.signal('SIGTERM');
    const ended = await within(20_000, 'the end of the service', command.ended);
    expect(tree.filter(isRunning)).toEqual([]);
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });

    const service = await other.start();
    const pictures = createSampleCatalogue().flatMap(product => product.pictures);
    expect(await service.query('{ imageCount }')).toEqual({ imageCount: pictures.length });
  }, 60_000);
});

/** Starts a service and waits until another process draws for it. */
async function startDrawing(installation: Installation): Promise<Command> {
  const command = installation.spawn(['serve']);
  await waitUntil(() => command.hasLogged('Drawing'), 30_000);
  await waitUntil(() => listBesidesPostgres(command.pid, installation).length > 1);
  return command;
}

function listBesidesPostgres(pid: number, { postgresDirectory }: Installation): number[] {
  const ofPostgres = listTree(postmasterPid(postgresDirectory));
  return listTree(pid).filter(each => !ofPostgres.includes(each));
}

interface Held {
  /** Resolves once somebody waits for the product. */
  awaited(): Promise<void>;
  release(): Promise<void>;
}

/** Locks a product's row from outside of the service, so that changes of its images wait. */
async function holdProduct(id: string, directory: string): Promise<Held> {
  const { url } = await openEmbeddedPostgres({ directory, log: createLog('silent'), attach: true });
  const sql = postgres(url, { max: 2 });
  const locked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const holding = sql.begin(async transaction => {
    await transaction`select from products where id = ${id} for update`;
    locked.resolve();
    await released.promise;
  });
  await Promise.race([locked.promise, holding]);
  return {
    awaited: () =>
      waitUntil(async () => {
        const waiting = await sql`select from pg_stat_activity where wait_event_type = 'Lock'`;
        return waiting.length > 0;
      }),
    async release() {
      released.resolve();
      await holding;
      await sql.end();
    },
  };
}

async function refusesConnections({ url }: Service): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    // The kernel's word to one that was on its way as the port was closed; the next is refused.
    if (hasCode(error, 'ECONNRESET')) return false;
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    return true;
  } finally {
    socket.destroy();
  }
}
