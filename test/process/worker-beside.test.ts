import { expect, onTestFinished, test } from 'vitest';
import { kill } from '../support/embedded-service.ts';
import { openInstallationForTest, type Service } from '../support/process.ts';
import { openSourceServer } from '../support/source-server.ts';
import { drawPicture } from '../support/stored-images.ts';

const create = `mutation ($url: URL!) {
  createProductImage(input: { productId: 1, source: { url: $url } }) { image { id } userErrors { message } }
}`;

test.each([
  ['killed', (service: Service) => kill(service.pid)],
  ['stopped', (service: Service) => service.stop()],
])(
  'a worker on the Postgres of a service that is %s and started again goes on importing',
  {
    timeout: 60_000,
  },
  async (_how, end) => {
    const sources = await openSourceServer();
    onTestFinished(() => sources.close());
    sources.put('/a.png', await drawPicture('#102030'));
    const installation = await openInstallationForTest();
    const settings = { SAMPLE: 'off', ALLOW_PRIVATE_SOURCES: 'on' };
    const service = await installation.start(settings);
    const worker = installation.spawn(['work'], settings);
    await expect.poll(() => worker.hasLogged('Importing images'), { timeout: 20_000 }).toBe(true);
    await end(service);
    const next = await installation.start(settings);
    await next.query(create, { url: sources.url('/a.png') });
    const read = () => next.query('{ product(id: 1) { images { nodes { state } } } }');
    const imported = { product: { images: { nodes: [{ state: 'UPLOADED' }] } } };
    await expect.poll(read, { timeout: 15_000 }).toEqual(imported);
  },
);

test('a worker that is started first waits for the service, whose Postgres it does not take', async () => {
  const installation = await openInstallationForTest();
  const worker = installation.spawn(['work'], { SAMPLE: 'off' });
  await expect.poll(() => worker.hasLogged('one is waited for'), { timeout: 20_000 }).toBe(true);
  await installation.start({ SAMPLE: 'off' });
  await expect.poll(() => worker.hasLogged('Importing images'), { timeout: 20_000 }).toBe(true);
}, 60_000);

test('a worker that waits for a service ends when it is told to', async () => {
  const installation = await openInstallationForTest();
  const worker = installation.spawn(['work'], { SAMPLE: 'off' });
  await expect.poll(() => worker.hasLogged('one is waited for'), { timeout: 20_000 }).toBe(true);
  worker.signal('SIGTERM');
  expect(await worker.ended).toMatchObject({ exitCode: 0, stderr: '' });
});
