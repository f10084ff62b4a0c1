import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from '../table.ts';
import { askAll } from './ask-all.ts';
import { openService, openStream, type Server } from './contenders.ts';
import { jobOf, originalCount, originalName } from './job.ts';
import type { Row } from './row.ts';

const connections = 16;

/** Forty renditions that were made before, of each width: from memory, as the service comes, and from disk alone. */
export async function* measureKept(
  folder: string,
  originals: Buffer[],
  service: Server,
  rounds: number,
  isQuick: boolean,
): AsyncGenerator<Row> {
  const environment = { SERVE: 'images', CACHE_MEMORY_BYTES: '0' };
  const fromDisk = await openService(join(folder, 'data'), originals, environment);
  try {
    for (const width of [386, 1_280]) {
      const jobs = Array.from({ length: originalCount }, (_, original) => jobOf(original, width, 'jpeg'));
      const stream = await openStream(await storeRenditions(join(folder, `made-${width}`), service, jobs));
      try {
        const paths = jobs.map((_, original) => `/${originalName(original)}`);
        const contenders = {
          memory: { port: service.port, paths: jobs.map(service.path) },
          disk: { port: fromDisk.port, paths: jobs.map(fromDisk.path) },
          stream: { port: stream.port, paths },
        };
        yield* compare(contenders, `kept JPEG, ${width} wide`, rounds, isQuick ? 1_000 : 4_000);
      } finally {
        await stream.stop();
      }
    }
  } finally {
    await fromDisk.stop();
  }
}

/** Has them made, and writes what the service hands out to files. */
async function storeRenditions(folder: string, service: Server, jobs: Parameters<Server['path']>[0][]) {
  await mkdir(folder);
  for (const job of jobs) {
    const response = await fetch(`http://127.0.0.1:${service.port}${service.path(job)}`);
    await writeFile(join(folder, originalName(job.original)), await response.bytes());
  }
  return folder;
}

type Name = 'memory' | 'disk' | 'stream';

async function* compare(
  contenders: Record<Name, { port: number; paths: string[] }>,
  work: string,
  rounds: number,
  count: number,
): AsyncGenerator<Row> {
  const rates: Record<Name, number[]> = { memory: [], disk: [], stream: [] };
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of ['memory', 'disk', 'stream'] as const) {
      const { port, paths } = contenders[name];
      const asked = Array.from({ length: count }, (_, index) => paths[index % paths.length] ?? '');
      const rate = (count * 1_000) / (await askAll(port, asked, connections));
      if (round > 0) rates[name].push(rate);
    }
  }
  const format = (name: Name) => `${Math.round(median(rates[name]))} a second`;
  for (const name of ['memory', 'disk'] as const) {
    const ratios = rates[name].map((rate, round) => rate / (rates.stream[round] ?? Number.NaN));
    const against = 'node:http streaming the file';
    yield {
      work: `${work}, from ${name}`,
      against,
      own: format(name),
      other: format('stream'),
      ratios,
      goal: '≥ 0.8',
    };
  }
}
