import { AsyncLocalStorage } from 'node:async_hooks';

/** So many requests begin in one turn of the event loop; what begins goes on in promises, so that time would not tell. */
const perTurn = 48;

/**
 * So many refusals go out in one turn, or this part of those that wait where that is more. Without a bound a turn in which
 * thousands come would have refusals alone, for a third of a second; with a lower one they would be late.
 */
const refusalsPerTurn = 192;
const refusalsPart = 1 / 16;

/** Both call in this turn or in one that follows, first come, first served. */
export interface Turns {
  begin(start: () => void): void;
  refuse(send: () => void): void;
  /** Calls all that waits, and from now on at once. */
  end(): void;
}

/** Lets no turn of the event loop become long, however many requests come with it. */
export function createTurns(): Turns {
  // A turn belongs to none of the requests that begin in it.
  const ofNoRequest = AsyncLocalStorage.snapshot();
  const beginning = createTurnQueue(() => perTurn);
  const refusing = createTurnQueue(waiting => Math.max(refusalsPerTurn, Math.floor(waiting * refusalsPart)));
  let isUnderWay = false;

  const endTurn = () => {
    isUnderWay = refusing.hasSome() || beginning.hasSome();
    if (isUnderWay) setImmediate(endTurn);
    refusing.endTurn();
    beginning.endTurn();
  };
  const beUnderWay = () => {
    if (!isUnderWay) ofNoRequest(setImmediate, endTurn);
    isUnderWay = true;
  };

  return {
    begin(start) {
      beUnderWay();
      beginning.add(start);
    },
    refuse(send) {
      beUnderWay();
      refusing.add(send);
    },
    end() {
      refusing.end();
      beginning.end();
    },
  };
}

/** Calls so many a turn, as `mostOf` says of those that wait as it begins. */
function createTurnQueue(mostOf: (waiting: number) => number) {
  const waiting: (() => void)[] = [];
  let most = mostOf(0);
  let called = 0;
  let isOver = false;
  const call = (count: number) => {
    for (const each of waiting.splice(0, count)) each();
  };
  return {
    add(each: () => void): void {
      if (!isOver && (waiting.length > 0 || called >= most)) {
        waiting.push(each);
        return;
      }
      called++;
      each();
    },
    hasSome: () => waiting.length > 0,
    endTurn(): void {
      most = mostOf(waiting.length);
      called = Math.min(most, waiting.length);
      call(called);
    },
    end(): void {
      isOver = true;
      call(waiting.length);
    },
  };
}
