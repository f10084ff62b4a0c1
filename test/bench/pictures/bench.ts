import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureApi } from './api.ts';
import { checkEqual } from './check-equal.ts';
import { type Contender, openBareLoop, openIpx, openService } from './contenders.ts';
import { measureKept } from './kept.ts';
import { measureNew, nameWork, newRenditions } from './new-renditions.ts';
import { paintOriginals } from './originals.ts';
import { formatRows, type Row } from './row.ts';

// `npm run bench:pictures`; with `-- --quick` a short run, which shows that all of it works and little more, and with
// `-- --only=api` or `-- '--only=new JPEG'` a part of it.
const isQuick = process.argv.includes('--quick');
const only = process.argv.find(argument => argument.startsWith('--only='))?.slice('--only='.length);
const rounds = isQuick ? 1 : 15;

const parts = [...newRenditions.map(nameWork), 'kept', 'api'];
if (only && !parts.some(part => part.startsWith(only))) {
  throw new Error(`--only=${only} is the beginning of no part; there are ${parts.join('; ')}`);
}

const say = (text: string) => process.stdout.write(`${text}\n`);

async function run(folder: string, opened: AsyncDisposableStack): Promise<void> {
  await mkdir(join(folder, 'originals'));
  const originals = await paintOriginals(join(folder, 'originals'));
  const kilobytes = Math.round(
    originals.reduce((sum, { length }) => sum + length, 0) / originals.length / 1_000,
  );
  say(
    `${originals.length} originals of ${kilobytes} KB, ${availableParallelism()} processors, ${rounds} rounds`,
  );
  const contenders = await openAll(folder, originals, opened);
  const { service, ofOriginals, tuned, documented } = contenders;
  await checkEqual(join(folder, 'originals'), { ofOriginals, service, peers: [tuned, documented] });
  say('All make the same pictures\n');

  const rows: Row[] = [];
  const measure = async (name: string, some: () => AsyncIterable<Row>) => {
    if (only && !name.startsWith(only)) return;
    for await (const row of some()) {
      rows.push(row);
      say(`${row.work}, ${row.against}: ${row.ratios.map(ratio => ratio.toFixed(2)).join(' ')}`);
    }
  };
  for (const made of newRenditions) {
    await measure(nameWork(made), () => measureNew(made, contenders, rounds, isQuick));
  }
  await measure('kept', () => measureKept(folder, originals, service, rounds, isQuick));
  await measure('api', () => measureApi(service, Math.min(rounds, 7), isQuick));
  say(`\n${formatRows(rows)}`);
}

async function openAll(folder: string, originals: Buffer[], opened: AsyncDisposableStack) {
  const from = join(folder, 'originals');
  const keep = <Kind extends Contender>(contender: Kind): Kind => {
    opened.defer(() => contender.stop());
    return contender;
  };
  return {
    bare: keep(await openBareLoop(from, availableParallelism())),
    tuned: keep(await openIpx(from, 'tuned')),
    documented: keep(await openIpx(from, 'as documented')),
    service: keep(await openService(join(folder, 'data'), originals)),
    ofOriginals: keep(
      await openService(join(folder, 'data-of-originals'), originals, { RENDER_MEMORY_BYTES: '0' }),
    ),
  };
}

/** Ends at a signal, too; whichever way, nothing is left of it. */
async function runAndClean(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'packshot-bench-'));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rm(folder, { recursive: true, maxRetries: 5 }));
  const signalled = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      process.exitCode = 1;
      signalled.resolve();
    });
  }
  await Promise.race([run(folder, opened), signalled.promise]);
}

await runAndClean();
process.exit();
