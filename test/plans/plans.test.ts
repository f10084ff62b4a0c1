import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { fillVariedCatalogue } from '../bench/varied-catalogue.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { readAllLists } from './lists.ts';
import { openPlanLog, type PlanLog, type RunPlan, setPlanCacheMode } from './plan-log.ts';
import { findFaults } from './plan-rules.ts';

const imageCount = 100_000;

let filled: TestService;
let log: PlanLog;
beforeAll(async () => {
  filled = await openTestService();
  await fillVariedCatalogue(filled.databaseUrl, imageCount);
  log = await openPlanLog(filled.databaseUrl);
});
afterAll(async () => {
  await log.close();
  await filled.close();
});

describe.each(['force_custom_plan', 'force_generic_plan'] as const)('%s', mode => {
  test('lists', async () => {
    await setPlanCacheMode(filled.databaseUrl, mode);
    const service = await openTestService({ DATABASE_URL: filled.databaseUrl });
    await readAllLists(service.db, String(imageCount / 2));
    await service.close();
    const plans = await log.take();
    const faults = new Map<string, [number, string]>();
    for (const p of plans) {
      const f = findFaults(p);
      if (!f.length) continue;
      const key = `${f.join('; ').replace(/\d+ rows/g, 'N rows')}\n    ${p.text.replace(/\s+/g, ' ').replace(/^select .* from "images" left join/, 'select … from "images" left join')}`;
      faults.set(key, [(faults.get(key)?.[0] ?? 0) + 1, f.join('; ')]);
    }
    console.log(plans.length, [...faults].map(([k, [n, f]]) => `${n} × ${f} :: ${k}`).join('\n'));
  }, 300_000);
});
