import { expect, onTestFinished, test } from 'vitest';
import { openInstallationForTest } from '../support/process.ts';
import { scrape } from '../support/prometheus.ts';
import { createTestDatabase } from '../support/service.ts';

test('a process that only imports serves its figures at METRICS_PORT', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const installation = await openInstallationForTest();
  const environment = { DATABASE_URL: database.url, METRICS_PORT: '0' };
  const command = installation.spawn(['work'], environment);
  const findUrl = () => command.readLog().find(({ metrics }) => metrics)?.metrics;
  await expect.poll(findUrl, { timeout: 15_000 }).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  await expect.poll(() => command.hasLogged('Importing images'), { timeout: 15_000 }).toBe(true);
  const figures = await scrape(String(findUrl()));
  expect(figures.get('packshot_imports_running')).toBe(0);
  expect(figures.get('packshot_import_queue_due')).toBe(0);
  expect(figures.has('packshot_subscribers')).toBe(false);
  command.signal('SIGTERM');
  expect(await command.ended).toMatchObject({ exitCode: 0 });
});
