import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram, stop } from '../processes.ts';
import { checkEqual } from './check-equal.ts';
import { openContenders } from './contenders.ts';
import { openFilledDatabase } from './database.ts';
import { measureGenerator, measureOperation, type Rounds } from './measure.ts';
import { parseOptions } from './options.ts';
import { plotOperation } from './plot.ts';
import { findGeneratorShare, formatOperation } from './report.ts';
import { drawSamples, type PreparedContender, prepareVariables } from './requests.ts';

// `npm run bench:queries`; with `-- --quick` a short run, which shows that all of it works and little more.
const options = parseOptions(process.argv.slice(2));
const say = (text: string) => process.stdout.write(`${text}\n`);

await using opened = new AsyncDisposableStack();
const told = Promise.withResolvers<void>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => told.resolve());
// Who is told to stop closes what is open, whatever the run makes of that.
await Promise.race([run(), told.promise.then(() => Promise.reject(new Error('Stopped before the end')))]);

async function run(): Promise<void> {
  const { images, rounds, seconds, keep } = options;
  say(
    `${images.toLocaleString('en')} images, ${availableParallelism()} processors, ${rounds} rounds of ${seconds} s`,
  );
  const folder = await mkdtemp(join(tmpdir(), 'packshot-bench-'));
  opened.defer(() => rm(folder, { recursive: true, maxRetries: 5 }));
  const databaseUrl = await openFilledDatabase(keep ?? folder, images, opened);
  const contenders = await openEqual(databaseUrl, folder);
  const generator = startProgram(join(import.meta.dirname, 'load.ts'), []);
  opened.defer(() => stop(generator));
  await sayGenerator(generator, contenders);
  await measureAll(generator, contenders);
}

/** The servers, ready to be asked, once they answer the same. */
async function openEqual(databaseUrl: string, folder: string): Promise<PreparedContender[]> {
  const servers = await openContenders(options.contenders, { databaseUrl, folder, opened });
  const samples = drawSamples(options.images);
  const contenders = await Promise.all(
    servers.map(async server => ({ ...server, variables: await prepareVariables(server, samples) })),
  );
  await checkEqual(contenders, samples);
  say('All answer the same');
  return contenders;
}

async function sayGenerator(generator: ChildProcess, contenders: PreparedContender[]): Promise<void> {
  const bare = contenders.find(({ name }) => name === 'node-http');
  if (!bare) return;
  const { perSecond, generatorShare } = await measureGenerator(generator, bare.port);
  say(
    `The load generator gets ${perSecond.toFixed(0)} answers a second where all are {}, and takes ${formatShare(generatorShare)} then`,
  );
}

async function measureAll(generator: ChildProcess, contenders: PreparedContender[]): Promise<void> {
  const { operations, results } = options;
  await mkdir(results, { recursive: true });
  const all: Rounds[] = [];
  for (const operation of operations) {
    const measured = await measureOperation(generator, contenders, operation, options);
    all.push(measured);
    const table = formatOperation(operation, contenders, measured);
    say(`\n${table}`);
    await writeFile(join(results, `${operation}.md`), `${table}\n`);
    await writeFile(join(results, `${operation}.svg`), plotOperation(operation, contenders, measured));
  }
  say(`\nThe load generator took ${formatShare(findGeneratorShare(all))} at most`);
  say(`Plots are in ${results}`);
}

function formatShare(share: number): string {
  return `${Math.round(share * 100)} % of a processor`;
}
