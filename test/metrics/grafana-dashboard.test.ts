import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { listMetrics } from '../support/prometheus.ts';

interface Panel {
  title: string;
  targets?: { expr: string }[];
}

const path = join(import.meta.dirname, '../../src/metrics/grafana-dashboard.json');
const { panels }: { panels: Panel[] } = JSON.parse(readFileSync(path, 'utf8'));
const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** With the series that a histogram consists of. */
async function listSeries(): Promise<Set<string>> {
  const metrics = listMetrics(await createMetrics().format());
  return new Set(
    metrics.flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
}

const seriesIn = (expression: string) => expression.match(/\b(packshot|nodejs|process)_\w+/g) ?? [];

test('every series that the dashboard asks for is there', async () => {
  const known = await listSeries();
  const asked = expressions.flatMap(seriesIn);
  expect(asked.length).toBeGreaterThan(25);
  expect(asked.filter(name => !known.has(name))).toEqual([]);
});

test('every figure of ours is on the dashboard', async () => {
  const asked = new Set(expressions.flatMap(seriesIn).map(name => name.replace(/_(bucket|sum|count)$/, '')));
  const ours = listMetrics(await createMetrics().format()).filter(({ name }) => name.startsWith('packshot_'));
  expect(ours.filter(({ name }) => !asked.has(name)).map(({ name }) => name)).toEqual([]);
});

test('labels that the dashboard asks for are those of the metric', () => {
  const grouped = expressions.flatMap(
    expression => /by \(([^)]*)\)/.exec(expression)?.[1]?.split(', ') ?? [],
  );
  const labels = ['le', 'route', 'status', 'type', 'outcome', 'pool', 'kind', 'encoding', 'result'];
  expect(grouped.filter(label => !labels.includes(label))).toEqual([]);
});
