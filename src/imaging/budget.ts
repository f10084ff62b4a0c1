/** Lets work begin while the weights of what is under way stay within a total; the rest waits in order. */
export interface Budget {
  /** What alone exceeds the total runs by itself. */
  spend<Result>(weight: number, work: () => Promise<Result>): Promise<Result>;
}

export function createBudget(total: number): Budget {
  const waiting: { weight: number; start: () => void }[] = [];
  let spent = 0;
  const startWaiting = () => {
    for (let next = waiting[0]; next && (spent === 0 || spent + next.weight <= total); next = waiting[0]) {
      waiting.shift();
      spent += next.weight;
      next.start();
    }
  };
  return {
    async spend(weight, work) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ weight, start: resolve });
      startWaiting();
      await promise;
      try {
        return await work();
      } finally {
        spent -= weight;
        startWaiting();
      }
    },
  };
}
