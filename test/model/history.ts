import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Answer, Call } from './calls.ts';
import { predict } from './model.ts';
import { productOf, type State } from './state.ts';
import type { Limits } from './vocabulary.ts';

/** A call that was answered, and what it wrote. */
export interface Deed {
  writer: number;
  call: Call;
  answer: Answer;
  invokedAt: number;
  respondedAt: number;
  /** When, in the order in which the database saw the changes, it was done; null where it changed nothing. */
  seq: number | null;
  /** The versions that it gave to products. */
  versions: Record<string, number>;
}

/**
 * Finds an order of all deeds that keeps real time, in which the model, one deed after the other, answers each as the
 * service did; so the service was as good as one that does one thing at a time (linearizable; strictly serializable, as
 * calls touch several products). Changes come in the order that `seq` says, which is only taken as a hint: where it is
 * wrong, answers or times do not fit. What changes nothing comes as soon as it fits, which leaves most freedom to the
 * rest. Answers the state at the end, and fails where there is no such order.
 */
export function explainHistory(start: State, deeds: readonly Deed[], limits: Limits): State {
  const queues = [...Map.groupBy(deeds, deed => deed.writer).values()].map(ofWriter =>
    ofWriter.toSorted((one, other) => one.invokedAt - other.invokedAt),
  );
  const changes = deeds
    .filter(({ seq }) => seq !== null)
    .sort((one, other) => Number(one.seq) - Number(other.seq));
  let state = start;
  placeUnchanging(queues, state, limits);
  for (const change of changes) {
    const queue = queues.find(([head]) => head === change);
    if (!queue || !isFree(queues, change)) throw new Error(tellStuck(queues, change, state, limits));
    state = replay(state, change, limits);
    queue.shift();
    placeUnchanging(queues, state, limits);
  }
  const [left] = queues.flatMap(([head]) => head ?? []);
  if (left) throw new Error(`This fits nowhere:\n${tell(left, state, limits)}`);
  return state;
}

/** Nothing that waits was answered before it was asked for. */
function isFree(queues: readonly Deed[][], { invokedAt }: Deed): boolean {
  return queues.every(([head]) => !head || head.respondedAt >= invokedAt);
}

/** Takes from the queues what changes nothing and fits now. */
function placeUnchanging(queues: readonly Deed[][], state: State, limits: Limits): void {
  for (let isDone = false; !isDone; ) {
    isDone = true;
    for (const queue of queues) {
      while (queue[0]?.seq === null && isFree(queues, queue[0]) && fitsUnchanged(state, queue[0], limits)) {
        queue.shift();
        isDone = false;
      }
    }
  }
}

function fitsUnchanged(state: State, { call, answer }: Deed, limits: Limits): boolean {
  const predicted = predict(state, call, answer, limits);
  return isDeepStrictEqual(predicted.answer, answer) && isSame(predicted.state, state);
}

function isSame(one: State, other: State): boolean {
  const isProductSame = (id: string) => {
    const [before, after] = [one.products.get(id), other.products.get(id)];
    return before === after || isDeepStrictEqual(before, after);
  };
  return [...one.products.keys()].every(isProductSame) && isDeepStrictEqual(one.keys, other.keys);
}

function replay(state: State, deed: Deed, limits: Limits): State {
  const predicted = predict(state, deed.call, deed.answer, limits);
  const versions = Object.keys(deed.versions).map(id => [id, productOf(predicted.state, id).version]);
  assert.deepStrictEqual(
    { ...deed.answer, versions: deed.versions },
    { ...predicted.answer, versions: Object.fromEntries(versions) },
    tell(deed, state, limits),
  );
  return predicted.state;
}

/** What should come next, and whatever should have come before it and fits nowhere. */
function tellStuck(queues: readonly Deed[][], change: Deed, state: State, limits: Limits): string {
  const isAhead = (head: Deed) => head.writer === change.writer || head.respondedAt < change.invokedAt;
  const ahead = queues.flatMap(([head]) => (head && head !== change && isAhead(head) ? [head] : []));
  return [
    'These fit nowhere before the last of them:',
    ...[...ahead, change].map(one => tell(one, state, limits)),
  ].join('\n');
}

function tell(
  { writer, call, answer, invokedAt, respondedAt, seq }: Deed,
  state: State,
  limits: Limits,
): string {
  const expected = predict(state, call, answer, limits).answer;
  const what = `Writer ${writer}, ${invokedAt.toFixed(2)} to ${respondedAt.toFixed(2)} ms, seq ${seq}: ${JSON.stringify(call)}`;
  if (isDeepStrictEqual(answer, expected)) return `${what}\n  answered as expected`;
  return `${what}\n  answered ${JSON.stringify(answer)}\n  expected ${JSON.stringify(expected)}`;
}
