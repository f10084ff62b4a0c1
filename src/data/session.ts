import { decodeAsArrays, decodeAsObjects, type Received } from './row-values.ts';

/** Where statements are sent: to any free connection, or in a transaction. */
export interface Session {
  /** As Drizzle asks postgres.js. */
  unsafe(text: string, parameters: unknown[]): Answer;
  query: Send;
}

export type Send = (text: string, parameters: unknown[]) => Promise<Received>;

/** With what Drizzle uses of postgres.js. */
export interface Driver extends Session {
  options: { parsers: Record<string, unknown>; serializers: Record<string, unknown> };
  begin<Result>(run: (transaction: Transacting) => Promise<Result>): Promise<Result>;
}

export interface Transacting extends Session {
  savepoint<Result>(run: (part: Transacting) => Promise<Result>): Promise<Result>;
}

/** Rows as objects, or as arrays where `values` is called before the next tick. */
type Answer = Promise<unknown> & { values(): Promise<unknown> };

export function createSession(query: Send): Session {
  return { query, unsafe: (text, parameters) => createAnswer(() => query(text, parameters)) };
}

function createAnswer(run: () => Promise<Received>): Answer {
  let asArrays = false;
  const answer = Promise.resolve()
    .then(run)
    .then(received => (asArrays ? decodeAsArrays(received) : decodeAsObjects(received)));
  const values = () => {
    asArrays = true;
    return answer;
  };
  return Object.assign(answer, { values });
}
