import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillVariedCatalogue } from '../bench/varied-catalogue.ts';
import { openImportService } from '../support/import-service.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { readAllLists } from './lists.ts';
import { openPlanLog, type PlanLog, type RunPlan, setPlanCacheMode } from './plan-log.ts';
import { findFaults, isOfPages } from './plan-rules.ts';
import {
  changeProducts,
  importImages,
  keepKeys,
  readProducts,
  tendStore,
  watchProduct,
} from './whole-service.ts';

const imageCount = 100_000;

let filled: TestService;
let log: PlanLog;
beforeAll(async () => {
  filled = await openTestService();
  await fillVariedCatalogue(filled.databaseUrl, imageCount);
  log = await openPlanLog(filled.databaseUrl);
});
afterAll(async () => {
  await log?.close();
  await filled?.close();
});

function describeFaults(plans: readonly RunPlan[]): string[] {
  const found = plans.flatMap(plan =>
    findFaults(plan).map(fault => `${fault}: ${plan.text.replaceAll(/\s+/g, ' ').trim()}`),
  );
  return [...new Set(found)];
}

const parts: [name: string, run: (service: TestService) => Promise<void>][] = [
  ['lists and counts', service => readAllLists(service.db, String(imageCount / 2))],
  ['reads of products, of ids and of entities', readProducts],
  ['mutations', changeProducts],
  ['imports', importImages],
  ['bulk files, the purge and the sweep', tendStore],
  ['subscriptions', watchProduct],
];

describe.each(['force_generic_plan', 'force_custom_plan'] as const)('with %s, no statement of', mode => {
  let service: TestService;
  beforeAll(async () => {
    await setPlanCacheMode(filled.databaseUrl, mode);
    service = await openImportService({ DATABASE_URL: filled.databaseUrl });
    await log.take();
  });
  afterAll(() => service?.close());

  test.each(parts)('%s gets dearer as the catalogue grows', { timeout: 90_000 }, async (part, run) => {
    await run(service);
    const plans = await log.take();
    expect(plans.length).toBeGreaterThan(5);
    expect(describeFaults(plans)).toEqual([]);
    if (part === 'lists and counts') expect(plans.filter(isOfPages).length).toBeGreaterThan(5);
  });
});

describe('a statement is found that', () => {
  const find = async (text: string) => {
    const sql = postgres(filled.databaseUrl, { max: 1, onnotice: () => {} });
    await log.take();
    await sql.unsafe(text);
    await sql.end();
    return describeFaults(await log.take()).map(fault => fault.split(':')[0]);
  };

  test('reads the whole table', async () => {
    expect(await find(`select count(*) from images where name = 'none'`)).toContain('Seq Scan of images');
  });

  test('could bring the rows of pages in another order', async () => {
    const pages = `select images.id from unnest('{1,2}'::bigint[]) with ordinality as asked (product, place)
      join images on product_id = asked.product and deleted_at is null order by asked.place`;
    expect(await find(pages)).toEqual([]);
    expect(await find(`${pages}, name`)).toEqual(['Incremental Sort of pages']);
  });

  test('sorts more than a page', async () => {
    const sorted = await find(
      `select id from (select id, name from images where id < 5000 offset 0) i order by name`,
    );
    expect(sorted).toEqual([expect.stringMatching(/^Sort of \d{4} rows$/)]);
  });

  test('reads on in an index for what few rows match', async () => {
    const text = `set enable_seqscan = off; select id from images where deleted_at is null and name = 'none' order by id`;
    expect(await find(text)).toContainEqual(expect.stringMatching(/reads \d+ rows in vain$/));
  });
});

test('keys are read without a look at the catalogue', async () => {
  await log.take();
  const service = await openTestService({ DATABASE_URL: filled.databaseUrl });
  await keepKeys(service);
  await service.close();
  expect(describeFaults(await log.take())).toEqual([]);
});
