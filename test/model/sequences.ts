import assert from 'node:assert/strict';
import fc from 'fast-check';
import { collectFiles } from '../../src/gallery/purge.ts';
import type { TestService } from '../support/service.ts';
import type { Known } from './arbitraries.ts';
import type { Call, CallOf } from './calls.ts';
import type { Client } from './client.ts';
import { type Command, command, fill } from './commands.ts';
import { checkInvariants, checkRows } from './invariants.ts';
import { predict } from './model.ts';
import type { Moment } from './rows.ts';
import { emptyState, liveImages, productOf, type State } from './state.ts';
import type { Limits } from './vocabulary.ts';

export const limits: Limits = {
  ...{ GALLERY: 6, SPIN_360: 3, SWATCH: 2, ids: 6 },
  ...{ text: 10, description: 15, url: 100, name: 20 },
};

const productIds = ['1', '22', '9007199254740993'];

/** Calls of a sequence; what shrinking leaves out is null. */
class Sequence {
  readonly commands: Command[];

  constructor(commands: (Command | null)[]) {
    this.commands = commands.filter(one => one !== null);
  }

  [fc.toStringMethod](): string {
    return `${this.commands.length} calls, told below`;
  }
}

/** As many calls, and yet few where shrunk: fast-check takes one out by making it null. */
function listOf(one: fc.Arbitrary<Command>, length: number): fc.Arbitrary<(Command | null)[]> {
  return fc.array(fc.option(one, { freq: 1_000 }), { minLength: length, maxLength: length });
}

const sequence = fc
  .tuple(listOf(fill, 3), listOf(command, 47))
  .map(([first, others]) => new Sequence([...first, ...others]));

/**
 * Runs sequences of fifty calls on a service of its own and on the model. On a failure fast-check tells a seed and
 * a path; as MODEL_SEED and MODEL_PATH they run that sequence again.
 */
export async function runSequences(service: TestService, client: Client, numRuns: number): Promise<void> {
  const { MODEL_SEED, MODEL_PATH } = process.env;
  const replay = MODEL_SEED ? { seed: Number(MODEL_SEED), ...(MODEL_PATH && { path: MODEL_PATH }) } : {};
  const property = fc.asyncProperty(sequence, ({ commands }) => runSequence(service, client, commands));
  await fc.assert(property, { numRuns, ...replay });
}

async function runSequence(
  service: TestService,
  client: Client,
  commands: readonly Command[],
): Promise<void> {
  await empty(service);
  service.statements.length = 0;
  const calls: Call[] = [];
  try {
    let standing: Standing = { state: emptyState, updatedAt: new Map() };
    for (const command of commands) {
      const call = command(knownOf(standing.state, calls));
      calls.push(call);
      standing = await runCall(client, standing, call);
      if (calls.length % 10 === 0) await checkRows(service.db);
    }
    await checkInvariants(service);
  } catch (error) {
    const told = calls.map(call => JSON.stringify(call)).join('\n');
    throw new Error(`${error instanceof Error ? error.message : error}\nafter these calls:\n${told}`);
  }
}

/** Cheaper than a database for each sequence; counts go down with the rows. */
async function empty({ db, storage }: TestService): Promise<void> {
  await db.execute('delete from images');
  await db.execute('delete from products');
  await db.execute('insert into released_files select hash from files on conflict do nothing');
  await collectFiles(db, storage);
}

/** What the store should hold, and when the service says that each image was changed. */
type Standing = { state: State } & Pick<Moment<unknown>, 'updatedAt'>;

async function runCall(client: Client, { state, updatedAt }: Standing, call: Call): Promise<Standing> {
  const answer = await client.run(call);
  const predicted = predict(state, call, answer, limits);
  assert.deepStrictEqual(answer, predicted.answer);
  const expected = client.expect(predicted.state, productIds);
  const moment = await client.read(productIds);
  assert.deepStrictEqual(moment.seen, expected);
  const isTouched = (id: string) => updatedAt.get(id) !== moment.updatedAt.get(id);
  assert.deepStrictEqual(findUntouched(state, predicted.state).filter(isTouched), []);
  return { state: predicted.state, updatedAt: moment.updatedAt };
}

/** Images of which nothing changed, though neighbours may have come and gone. */
function findUntouched(before: State, after: State): string[] {
  return productIds.flatMap(id => {
    const were = new Set(liveImages(productOf(before, id)));
    return liveImages(productOf(after, id)).flatMap(image => (were.has(image) ? [image.id] : []));
  });
}

function knownOf(state: State, calls: readonly Call[]): Known {
  return {
    productIds,
    live: id => liveImages(productOf(state, id)),
    deleted: id => productOf(state, id).deleted.map(({ image }) => image.id),
    version: id => productOf(state, id).version,
    marketingColor: id => productOf(state, id).marketingColor,
    purgedIds: state.purgedIds,
    key: n => `k${n}`,
    keyed: calls.filter((call): call is CallOf<'createProductImage'> => {
      return call.name === 'createProductImage' && call.input.idempotencyKey !== undefined;
    }),
  };
}
