import { AsyncLocalStorage } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';

/**
 * Lets only so many requests be worked on at once as are answered within a few milliseconds; the others are held as what
 * they came as. What a request that has begun keeps while it waits outlives minor garbage collections, and with it, until a
 * major one, all that is attached to it later, dead or not: with hundreds begun, almost all that large queries make is
 * copied twice.
 */
export interface Concurrency {
  /**
   * Calls at once, or when others have ended: first come, first served, and in nobody's context. For each there is to be an
   * `end`.
   */
  begin(start: () => void): void;
  end(): void;
  /** Begins all that is held, and from now on all at once. */
  release(): void;
}

/** While none is held: what comes together may share statements. */
const atOnceInCalm = 48;
/** Never fewer at once. */
const leastAtOnce = 16;
/** As many at once as are answered in so long (Little's law), so that it is about how long each takes. */
const targetMs = 15;
/** How many that are is looked at so often while some are held. */
const lookMs = 5;
/** A thread that is less busy waits for something else, which may work on more at once. */
const leastBusy = 0.5;

export function createConcurrency(): Concurrency {
  // Whoever ends has nothing to do with those that begin.
  const ofNoRequest = AsyncLocalStorage.snapshot();
  const held: (() => void)[] = [];
  let atOnce = atOnceInCalm;
  let underWay = 0;
  let ended = 0;
  let lastLook = performance.eventLoopUtilization();
  let isLooking = false;
  let isBeginning = false;

  const beginHeld = () => {
    // Who has left ends as it begins.
    if (isBeginning) return;
    isBeginning = true;
    try {
      while (held.length > 0 && underWay < atOnce) {
        underWay++;
        ofNoRequest(held.shift() as () => void);
      }
    } finally {
      isBeginning = false;
    }
  };
  const lookLater = () => {
    isLooking = true;
    ended = 0;
    lastLook = performance.eventLoopUtilization();
    setTimeout(look, lookMs);
  };
  const look = () => {
    isLooking = false;
    if (held.length === 0) {
      atOnce = Math.max(atOnce, atOnceInCalm);
      return;
    }
    const { active, idle, utilization } = performance.eventLoopUtilization(lastLook);
    const isWaiting = ended === 0 || utilization < leastBusy;
    atOnce = isWaiting ? atOnce * 2 : Math.max(leastAtOnce, Math.ceil((ended * targetMs) / (active + idle)));
    beginHeld();
    lookLater();
  };

  return {
    begin(start) {
      held.push(start);
      beginHeld();
      if (held.length > 0 && !isLooking) ofNoRequest(lookLater);
    },
    end() {
      underWay--;
      ended++;
      beginHeld();
    },
    release() {
      atOnce = Number.POSITIVE_INFINITY;
      beginHeld();
    },
  };
}
