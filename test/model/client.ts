import type { Answer, Call } from './calls.ts';
import type { Moment } from './rows.ts';
import type { State } from './state.ts';

/** A way to call the service and to look at what it holds. */
export interface Client {
  run(call: Call): Promise<Answer>;
  /** What is to be seen of products. */
  read(productIds: readonly string[]): Promise<Moment<unknown>>;
  /** What `read` should see. */
  expect(state: State, productIds: readonly string[]): unknown;
}
