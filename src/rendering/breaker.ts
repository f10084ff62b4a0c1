/**
 * Lets go of what fails again and again: after so many failures in a row nothing is tried for a while, then one failure
 * is enough. (A circuit breaker, after M. Nygard, Release It!)
 */
export interface Breaker {
  isOpen(): boolean;
  succeeded(): void;
  /** True when it opens by this. */
  failed(): boolean;
}

export function createBreaker(maxFailures: number, pauseMs: number): Breaker {
  let failures = 0;
  let openUntil = 0;
  return {
    isOpen: () => performance.now() < openUntil,
    succeeded() {
      failures = 0;
    },
    failed() {
      failures++;
      if (failures < maxFailures || performance.now() < openUntil) return false;
      openUntil = performance.now() + pauseMs;
      return true;
    },
  };
}
