import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedPostgres } from '../../../src/data/embedded.ts';
import { createLog } from '../../../src/log.ts';
import { formatRows, type Row } from '../pictures/row.ts';
import { checkEqual } from './check-equal.ts';
import { openByHandLoop, openByHandServer, openService } from './contenders.ts';
import { measure } from './measure.ts';
import { openStage } from './stage.ts';
import { works } from './work.ts';

// `npm run bench:writes`; with `-- --quick` a short run, which shows that all of it works and little more;
// `-- --only=replace` those works alone whose name begins so.
const isQuick = process.argv.includes('--quick');
const only = process.argv.find(argument => argument.startsWith('--only='))?.slice('--only='.length) ?? '';
const rounds = isQuick ? 2 : 15;

const folder = await mkdtemp(join(tmpdir(), 'packshot-bench-'));
await using opened = new AsyncDisposableStack();
opened.defer(() => rm(folder, { recursive: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => opened.disposeAsync().finally(() => process.exit(1)));
}
const say = (text: string) => process.stdout.write(`${text}\n`);

// Not durable: all wait for the disk alike, which would hide what differs.
const postgres = await openEmbeddedPostgres({
  directory: join(folder, 'postgres'),
  log: createLog('warn'),
  durable: false,
});
opened.defer(() => postgres.close());
const openStageFor = async (name: string) => {
  const stage = await openStage(postgres.url, name);
  opened.defer(() => stage.close());
  return stage;
};
const service = await openService(await openStageFor('service'), join(folder, 'data'));
opened.defer(() => service.stop());
const byHand = await openByHandServer(await openStageFor('by_hand'));
opened.defer(() => byHand.stop());
const bare = await openByHandLoop(await openStageFor('bare'));
opened.defer(() => bare.stop());

await checkEqual(works, service, byHand);
say('All answer the same and keep the same rows\n');

const rows: Row[] = [];
for (const work of works.filter(({ name }) => name.startsWith(only))) {
  for await (const row of measure(work, { service, byHand, bare }, rounds, isQuick)) {
    rows.push(row);
    say(`${row.work}, ${row.against}: ${row.ratios.map(ratio => ratio.toFixed(2)).join(' ')}`);
  }
}
say(`\n${formatRows(rows)}`);
