import { describe, test } from 'vitest';
import { openTestService } from '../support/service.ts';
import { createDirectClient } from './direct-client.ts';
import { createHttpClient } from './http-client.ts';
import { limits, runSequences } from './sequences.ts';
import { settingsOf } from './vocabulary.ts';

const allRuns = Number(process.env.MODEL_RUNS ?? 500);

const timeout = 120_000 + allRuns * 1_000;

// Each waits for Postgres most of the time, so that several at once take little longer than one.
const ways = [
  { title: 'by functions, first part', createClient: createDirectClient, share: 0.3 },
  { title: 'by functions, second part', createClient: createDirectClient, share: 0.3 },
  { title: 'by functions, third part', createClient: createDirectClient, share: 0.3 },
  { title: 'over HTTP', createClient: createHttpClient, share: 0.1 },
];

describe.concurrent('random sequences of fifty changes', () => {
  test.for(ways)('$title do what the model does', { timeout }, async ({ createClient, share }) => {
    const service = await openTestService(settingsOf(limits));
    try {
      await runSequences(service, createClient(service, limits), Math.ceil(allRuns * share));
    } finally {
      await service.close();
    }
  });
});
