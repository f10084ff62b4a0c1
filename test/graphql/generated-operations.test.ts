import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { openTestService, type TestService } from '../support/service.ts';
import { drawPicture, storeImage } from '../support/stored-images.ts';
import { breakOperation } from './generated/breakage.ts';
import { generateRequest, type HttpRequest } from './generated/http-request.ts';
import { generateOperation } from './generated/operation.ts';
import { createRandom } from './generated/random.ts';

/** Set GENERATED_OPERATIONS to search longer, GENERATED_SEED to search again what a failure named. */
const allOperations = Number(process.env.GENERATED_OPERATIONS ?? 5_000);
const firstSeed = Number(process.env.GENERATED_SEED ?? Math.floor(Math.random() * 1e9));
const timeout = 60_000 + allOperations * 20;

let service: TestService;
beforeAll(async () => {
  service = await openTestService({ GRAPHIQL: 'off', IMPORT_DIR: '/nowhere', MAX_IDS_IN_MUTATION: '50' });
  for (const product of ['1', '1', '2', '101']) {
    await storeImage(service, product, await drawPicture(product === '2' ? 'red' : 'green'));
  }
});
afterAll(() => service.close());

/** What no client may learn: our statements, folders, frames of the stack, addresses of other services. */
const secrets =
  /[Dd]rizzle|[Pp]ostgres|node_modules|\.[jt]s:\d|\bat \w+ \(|\\n +at |file:\/\/|\/(src|tmp|home|usr|work|nowhere)\/|127\.0\.0\.1|E(CONN|NO)[A-Z]+|\b(insert into|returning \\"|from \\"|where \\"|for update|::text|pg_)|syntax error at|byte sequence|call stack|reading '|is not a function|is not iterable/;

interface Answered {
  status: number;
  body: string;
  ms: number;
}

/** An odd request has a connection of its own: what it leaves there would be read as another. */
async function ask({ method, path, headers, body, isOdd }: HttpRequest): Promise<Answered> {
  const startedAt = performance.now();
  const { port } = new URL(service.url);
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const options = { port, method, path, headers, timeout: 10_000, ...(isOdd && { agent: false as const }) };
  const asked = httpRequest(options, async response => {
    const isStream = response.headers['content-type']?.startsWith('text/event-stream') ?? false;
    if (isStream) setTimeout(() => asked.destroy(), 200);
    const read = await text(response).catch(() => '');
    resolve({ status: response.statusCode ?? 0, body: read, ms: performance.now() - startedAt });
  });
  asked.on('timeout', () => asked.destroy(new Error('No answer within 10 s')));
  asked.on('error', reject);
  asked.end(body === null ? undefined : Buffer.from(body));
  return promise;
}

const post = (body: string): HttpRequest => ({
  method: 'POST',
  path: '/graphql',
  headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
  body,
});

function findFault({ status, body, ms }: Answered): string | null {
  if (status >= 500 || body.includes('INTERNAL_SERVER_ERROR')) return `status ${status}`;
  if (ms > 1_000) return `${Math.round(ms)} ms`;
  const secret = secrets.exec(body);
  return secret && `tells ${JSON.stringify(body.slice(Math.max(secret.index - 80, 0), secret.index + 120))}`;
}

/** `make` gets a seed; eight are asked at a time. */
async function search(count: number, make: (seed: number) => HttpRequest) {
  const faults: string[] = [];
  const answers: Answered[] = [];
  let next = 0;
  const work = async () => {
    while (next < count && faults.length < 5) {
      const seed = firstSeed + next++;
      const request = make(seed);
      const answered = await ask(request).catch(error => ({ status: 599, body: String(error), ms: 0 }));
      answers.push(answered);
      const fault = findFault(answered);
      if (!fault) continue;
      const shown = `${request.method} ${request.path} ${JSON.stringify(request.headers).slice(0, 300)} ${request.body?.slice(0, 800)}`;
      faults.push(`GENERATED_SEED=${seed}: ${fault}\n  ${shown}\n  ${answered.body.slice(0, 500)}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return { faults, answers };
}

describe('no answer fails, is late, or tells how the service is made', () => {
  test(`to ${allOperations / 2} valid operations`, { timeout }, async () => {
    const { faults, answers } = await search(allOperations / 2, seed =>
      post(JSON.stringify(generateOperation(schema, createRandom(seed)))),
    );
    expect(faults.join('\n\n')).toBe('');
    const withData = answers.filter(({ body }) => body.includes('"data":{'));
    expect(withData.length).toBeGreaterThan(answers.length / 4);
  });

  test(`to ${allOperations / 2} broken ones`, { timeout }, async () => {
    const { faults } = await search(allOperations / 2, seed => {
      const random = createRandom(seed);
      return post(breakOperation(generateOperation(schema, random), random));
    });
    expect(faults.join('\n\n')).toBe('');
  });

  test(`to ${allOperations / 10} requests of odd shapes`, { timeout }, async () => {
    const { faults } = await search(allOperations / 10, seed => {
      const random = createRandom(seed);
      return generateRequest(JSON.stringify(generateOperation(schema, random)), random);
    });
    expect(faults.join('\n\n')).toBe('');
  });
});

test('what is generated as valid is valid', () => {
  for (let seed = firstSeed; seed < firstSeed + 300; seed++) {
    const { query } = generateOperation(schema, createRandom(seed));
    const messages = validate(schema, parse(query)).map(({ message }) => message);
    expect(messages, `GENERATED_SEED=${seed}\n${query}`).toEqual([]);
  }
});
