import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { defaultImageLimits } from '../../src/importing/inspect.ts';
import { measureImage } from '../../src/importing/measure-image.ts';
import { type Measurer, type MeasurerOptions, openMeasurer } from '../../src/importing/measurer.ts';
import { createLog } from '../../src/log.ts';
import { kill, waitUntil } from '../support/embedded-service.ts';
import { paintNoise, paintQuarters } from '../support/painted-image.ts';
import { listStarted } from '../support/process.ts';

const log = createLog('silent');
const frail = join(import.meta.dirname, 'frail-measure-process.ts');
const picture = await paintQuarters().png().toBuffer();
const large = await paintNoise().resize(2_400, 2_400).png({ compressionLevel: 0 }).toBuffer();

const marked = (mark: string) => Buffer.concat([picture, Buffer.from(mark)]);

let opened: Measurer[] = [];
afterEach(async () => {
  await Promise.all(opened.map(measurer => measurer.close()));
  opened = [];
  expect(listProcesses()).toEqual([]);
});

function open(options: Partial<MeasurerOptions> = {}): Measurer {
  const measurer = openMeasurer({ limits: defaultImageLimits, log, ...options });
  opened.push(measurer);
  return measurer;
}

/** Those that measure for this test. */
const listProcesses = () => listStarted(process.pid, 'measure-process.ts');

describe('a measurer', () => {
  test('tells what is told without another process', async () => {
    expect(await open().measure(picture)).toEqual(await measureImage(picture));
  });

  test('passes refusals on whole', async () => {
    const refusal = await open()
      .measure(Buffer.from('%PDF-1.7'))
      .catch(error => error);
    const direct = await measureImage(Buffer.from('%PDF-1.7')).catch(error => error);
    expect({ ...refusal, message: refusal.message }).toEqual({ ...direct, message: direct.message });
    expect(refusal.code).toBe('UNSUPPORTED_TYPE');
  });

  test('measures many of all sizes side by side', async () => {
    const measurer = open();
    const all = Array.from({ length: 40 }, (_, index) => (index % 4 === 0 ? large : picture));
    const measured = await Promise.all(all.map(bytes => measurer.measure(bytes)));
    expect(measured.map(({ fileSizeBytes }) => fileSizeBytes)).toEqual(all.map(bytes => bytes.length));
    expect(measured.map(({ width }) => width)).toEqual(
      all.map(bytes => (bytes === large ? 2_400 : measured[1]?.width)),
    );
  });

  test('starts its process with the first image, one for all', async () => {
    const measurer = open();
    expect(listProcesses()).toEqual([]);
    await Promise.all([measurer.measure(picture), measurer.measure(large)]);
    expect(listProcesses()).toHaveLength(1);
  });

  test('ends its process when there is nothing to do, and starts another', async () => {
    const measurer = open({ idleMs: 50 });
    await measurer.measure(picture);
    await waitUntil(() => listProcesses().length === 0);
    expect(await measurer.measure(picture)).toMatchObject({ mimeType: 'image/png' });
  });

  test('leaves no process when it is closed in mid-work, and takes no more', async () => {
    const measurer = open({ program: frail });
    const refused = expect(measurer.measure(marked('endless'))).rejects.toThrow('stopping');
    await waitUntil(() => listProcesses().length === 1);
    await measurer.close();
    await refused;
    expect(listProcesses()).toEqual([]);
    await expect(measurer.measure(picture)).rejects.toThrow('stopping');
  });
});

describe('a process killed in mid-work', () => {
  test('costs its images nothing but time', async () => {
    const measurer = open({ program: frail });
    const measuring = Promise.all(['slow 1', 'slow 2', 'slow 3'].map(mark => measurer.measure(marked(mark))));
    await waitUntil(() => listProcesses().length === 1);
    await kill(listProcesses()[0]);
    expect(await measuring).toHaveLength(3);
  });
});

describe('an image that ends each process', () => {
  test('is refused, to be tried again, and those beside it are measured', async () => {
    const measurer = open({ program: frail });
    const [deadly, ...others] = await Promise.allSettled(
      ['deadly', 'slow 1', 'slow 2', 'plain'].map(mark => measurer.measure(marked(mark))),
    );
    expect(deadly).toMatchObject({ reason: { code: 'CORRUPT_IMAGE', permanent: false } });
    expect(others.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
  });

  test('is refused however many of them come at once', async () => {
    const measurer = open({ program: frail });
    const all = ['deadly 1', 'plain 1', 'deadly 2', 'plain 2', 'deadly 3'];
    const outcomes = await Promise.allSettled(all.map(mark => measurer.measure(marked(mark))));
    expect(outcomes.map(({ status }) => status)).toEqual(
      all.map(mark => (mark.startsWith('deadly') ? 'rejected' : 'fulfilled')),
    );
  });
});

describe('an image that is never done', () => {
  test('is refused in time, to be tried again, and those beside it are measured', async () => {
    const measurer = open({ program: frail, limits: { ...defaultImageLimits, timeoutMs: 1_500 } });
    const startedAt = performance.now();
    const [endless, plain] = await Promise.allSettled([
      measurer.measure(marked('endless')),
      measurer.measure(marked('plain')),
    ]);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(endless).toMatchObject({
      reason: { code: 'CORRUPT_IMAGE', permanent: false, message: expect.stringContaining('1500 ms') },
    });
    expect(plain).toMatchObject({ status: 'fulfilled' });
    expect(await measurer.measure(picture)).toMatchObject({ mimeType: 'image/png' });
  });
});
