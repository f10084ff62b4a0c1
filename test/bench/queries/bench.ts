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
import { drawSamples, prepareVariables } from './requests.ts';

// `npm run bench:queries`; with `-- --quick` a short run, which shows that all of it works and little more.
const options = parseOptions(process.argv.slice(2));
const say = (text: string) => process.stdout.write(`${text}\n`);

const folder = await mkdtemp(join(tmpdir(), 'packshot-bench-'));
await using opened = new AsyncDisposableStack();
opened.defer(() => rm(folder, { recursive: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => opened.disposeAsync().finally(() => process.exit(1)));
}

const { images, rounds, seconds } = options;
say(
  `${images.toLocaleString('en')} images, ${availableParallelism()} processors, ${rounds} rounds of ${seconds} s`,
);
const database = await openFilledDatabase(options.keep ?? folder, images);
opened.defer(() => database.close());

const servers = await openContenders(options.contenders, { databaseUrl: database.url, folder, opened });
const samples = drawSamples(images);
const contenders = await Promise.all(
  servers.map(async server => ({ ...server, variables: await prepareVariables(server, samples) })),
);
await checkEqual(contenders, samples);
say('All answer the same');

const generator = startProgram(join(import.meta.dirname, 'load.ts'), []);
opened.defer(() => stop(generator));
const bare = contenders.find(({ name }) => name === 'node-http');
if (bare) {
  const { perSecond, generatorShare } = await measureGenerator(generator, bare.port);
  say(
    `The load generator gets ${perSecond.toFixed(0)} answers a second where all are {}, and takes ${formatShare(generatorShare)} then`,
  );
}

await mkdir(options.results, { recursive: true });
const all: Rounds[] = [];
for (const operation of options.operations) {
  const measured = await measureOperation(generator, contenders, operation, options);
  all.push(measured);
  const table = formatOperation(operation, contenders, measured);
  say(`\n${table}`);
  await writeFile(join(options.results, `${operation}.md`), `${table}\n`);
  await writeFile(join(options.results, `${operation}.svg`), plotOperation(operation, contenders, measured));
}
say(`\nThe load generator took ${formatShare(findGeneratorShare(all))} at most`);
say(`Plots are in ${options.results}`);

function formatShare(share: number): string {
  return `${Math.round(share * 100)} % of a processor`;
}
