import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type MemoryUsage, measureMemory } from '../support/inspector.ts';
import { startMixedLoad } from '../support/mixed-load.ts';
import { openInstallationForTest, type Service } from '../support/process.ts';
import { createTestDatabase } from '../support/service.ts';
import { openSourceServer } from '../support/source-server.ts';

// `npm run test:memory` measures for an hour, MEMORY_MINUTES=20 for twenty minutes; else half a minute is all.
const minutes = Number(process.env.MEMORY_MINUTES ?? 0);
const isLong = minutes > 0;
const measuredMs = isLong ? minutes * 60_000 : 12_000;
const warmUpMs = isLong ? 120_000 : 14_000;
const pauseMs = Number(process.env.MEMORY_PAUSE_MS ?? 5);
const sampleEveryMs = isLong ? 60_000 : 3_000;

/** In MB, from rest to rest. */
const mostGrowth = 3;
/** In MB an hour under load, where what happens to be under way makes a sample differ by a MB from the next. */
const mostSlope = 10;

interface Sample {
  hours: number;
  /** Heap and what belongs to it, in MB, garbage collected. */
  usedMegabytes: number;
  rssMegabytes: number;
}

test('memory stays as it is however long the service works', {
  timeout: warmUpMs + measuredMs + 60_000,
}, async () => {
  const service = await startService();
  const sources = await openSourceServer();
  onTestFinished(() => sources.close());
  const warmUp = startMixedLoad(service, sources, pauseMs);
  await sleep(warmUpMs);
  await warmUp.stop();
  const before = await takeSampleAtRest(service);
  const load = startMixedLoad(service, sources, pauseMs, 1_000_000);
  const samples = await takeSamples(service);
  await load.stop();
  const after = await takeSampleAtRest(service);
  tell(`${JSON.stringify(load.done)}; at rest ${describeSample(before)}, then ${describeSample(after)}`);
  expect((await service.stop()).exitCode).toBe(0);
  expect(after.usedMegabytes - before.usedMegabytes).toBeLessThan(mostGrowth);
  if (isLong) expect(slopeOf(samples, sample => sample.usedMegabytes)).toBeLessThan(mostSlope);
});

async function startService(): Promise<Service> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const installation = await openInstallationForTest();
  return installation.start({
    DATABASE_URL: database.url,
    IMPORTING: 'on',
    ALLOW_PRIVATE_SOURCES: 'on',
    // So small that they are full before the first measurement.
    CACHE_MEMORY_BYTES: '500000',
    CACHE_BYTES: '5000000',
    NODE_OPTIONS: '--inspect=127.0.0.1:0',
  });
}

async function takeSamples(service: Service): Promise<Sample[]> {
  const startedAt = performance.now();
  const samples = [await takeSample(service, startedAt)];
  while (performance.now() - startedAt < measuredMs) {
    await sleep(sampleEveryMs);
    const sample = await takeSample(service, startedAt);
    tell(`${(sample.hours * 60).toFixed(1)} min: ${describeSample(sample)}`);
    samples.push(sample);
  }
  const [used, rss] = [slopeOf(samples, one => one.usedMegabytes), slopeOf(samples, one => one.rssMegabytes)];
  tell(`Slope: ${used.toFixed(2)} MB an hour in use, ${rss.toFixed(2)} MB an hour resident`);
  return samples;
}

/** When what was under way is done, and what the load left is closed. */
async function takeSampleAtRest(service: Service): Promise<Sample> {
  await sleep(1_000);
  return takeSample(service, performance.now());
}

async function takeSample(service: Service, startedAt: number): Promise<Sample> {
  const usage = await measureMemory(service.readErrors());
  return {
    hours: (performance.now() - startedAt) / 3_600_000,
    usedMegabytes: megabytesUsed(usage),
    rssMegabytes: usage.rss / 1e6,
  };
}

function megabytesUsed({ heapUsed, external }: MemoryUsage): number {
  return (heapUsed + external) / 1e6;
}

function describeSample({ usedMegabytes, rssMegabytes }: Sample): string {
  return `${usedMegabytes.toFixed(1)} MB in use, ${rssMegabytes.toFixed(0)} MB resident`;
}

/** By least squares, an hour. */
function slopeOf(samples: readonly Sample[], read: (sample: Sample) => number): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanHours = mean(samples.map(({ hours }) => hours));
  const meanValue = mean(samples.map(read));
  const covariance = mean(samples.map(one => (one.hours - meanHours) * (read(one) - meanValue)));
  return covariance / mean(samples.map(({ hours }) => (hours - meanHours) ** 2));
}

function tell(text: string): void {
  if (isLong) process.stderr.write(`${text}\n`);
}
