import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureApi } from './api.ts';
import { checkEqual } from './check-equal.ts';
import { openBareLoop, openIpx, openService } from './contenders.ts';
import { measureKept } from './kept.ts';
import { measureNew } from './new-renditions.ts';
import { paintOriginals } from './originals.ts';
import { formatRows, type Row } from './row.ts';

// `npm run bench:pictures`; with `-- --quick` a short run, which shows that all of it works and little more.
const isQuick = process.argv.includes('--quick');
const only = process.argv.find(argument => argument.startsWith('--only='))?.slice('--only='.length);
const rounds = isQuick ? 2 : 15;

const folder = await mkdtemp(join(tmpdir(), 'packshot-bench-'));
await using opened = new AsyncDisposableStack();
opened.defer(() => rm(folder, { recursive: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => opened.disposeAsync().finally(() => process.exit(1)));
}
const say = (text: string) => process.stdout.write(`${text}\n`);

await mkdir(join(folder, 'originals'));
const originals = await paintOriginals(join(folder, 'originals'));
const kilobytes = Math.round(
  originals.reduce((sum, { length }) => sum + length, 0) / originals.length / 1_000,
);
say(
  `${originals.length} originals of ${kilobytes} KB, ${availableParallelism()} processors, ${rounds} rounds`,
);

const bare = await openBareLoop(join(folder, 'originals'), availableParallelism());
opened.defer(() => bare.stop());
const ipx = await openIpx(join(folder, 'originals'));
opened.defer(() => ipx.stop());
const service = await openService(join(folder, 'data'), originals);
opened.defer(() => service.stop());

await checkEqual(join(folder, 'originals'), service, ipx);
say('All make the same pictures\n');

const rows: Row[] = [];
const measure = async (name: string, some: () => AsyncIterable<Row>) => {
  if (only && !name.startsWith(only)) return;
  for await (const row of some()) {
    rows.push(row);
    say(`${row.work}, ${row.against}: ${row.ratios.map(ratio => ratio.toFixed(2)).join(' ')}`);
  }
};
await measure('new', () => measureNew({ bare, service, ipx }, rounds, isQuick));
await measure('kept', () => measureKept(folder, originals, service, rounds, isQuick));
await measure('api', () => measureApi(service, Math.min(rounds, 7), isQuick));
say(`\n${formatRows(rows)}`);
