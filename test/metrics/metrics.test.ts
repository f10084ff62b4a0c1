import { expect, test } from 'vitest';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { parseFigures } from '../support/prometheus.ts';

const figuresOf = async (metrics: ReturnType<typeof createMetrics>) => parseFigures(await metrics.format());

test.each([
  ['select "id" from "images" where "id" = $1', 'read'],
  ['select "id" from "products" where "id" = $1 for update', 'read'],
  ['with recursive hosts as (select 1) select * from hosts', 'read'],
  ['with due as (select 1) update images set attempts = 1 from due', 'write'],
  ['insert into "images" ("id") values ($1)', 'write'],
  ['delete from "images"', 'write'],
  ['update "images" set "state" = $1', 'write'],
])('the statement %s counts as one to %s', async (text, kind) => {
  const metrics = createMetrics();
  metrics.onStatement('requests', text, 0.002, false);
  const series = `packshot_statement_duration_seconds_count{pool="requests",kind="${kind}"}`;
  expect((await figuresOf(metrics)).get(series)).toBe(1);
});

test('outcomes beyond a bound, and such as are no words, are counted together', async () => {
  const metrics = createMetrics();
  for (let code = 0; code < 100; code++) metrics.onOperation('query', `CODE_${code}`, null);
  metrics.onOperation('query', 'not a word', null);
  const figures = await figuresOf(metrics);
  const outcomes = [...figures.keys()].filter(name => name.startsWith('packshot_operations_total'));
  expect(outcomes).toHaveLength(61);
  expect(figures.get('packshot_operations_total{type="query",outcome="other"}')).toBe(41);
});

test('what nobody follows is not told', async () => {
  const figures = await figuresOf(createMetrics());
  expect([...figures.keys()].filter(name => /queue|subscribers|renders_|pool/.test(name))).toEqual([]);
});

test('two services in a process count for themselves', async () => {
  const [one, two] = [createMetrics(), createMetrics()];
  one.onLookup('miss');
  expect((await figuresOf(one)).get('packshot_cache_lookups_total{result="miss"}')).toBe(1);
  expect((await figuresOf(two)).has('packshot_cache_lookups_total{result="miss"}')).toBe(false);
});
