export class TooManySubscribers extends Error {
  override name = 'TooManySubscribers';
}

/** How many subscriptions there may be, of all and of one account each; an account that is null has no bound of its own. */
export interface SubscriberPlaces {
  /** Throws TooManySubscribers where none is left. */
  take(account: string | null): void;
  free(account: string | null): void;
  countTaken(): number;
}

export function createSubscriberPlaces(max: number, maxOfAccount: number): SubscriberPlaces {
  const takenBy = new Map<string, number>();
  let taken = 0;

  function change(account: string | null, by: 1 | -1): void {
    taken += by;
    if (account === null) return;
    const ofAccount = (takenBy.get(account) ?? 0) + by;
    if (ofAccount > 0) takenBy.set(account, ofAccount);
    else takenBy.delete(account);
  }

  return {
    take(account) {
      if (taken >= max) throw new TooManySubscribers(`${taken} subscriptions are open; at most ${max}`);
      const ofAccount = account === null ? 0 : (takenBy.get(account) ?? 0);
      if (account !== null && ofAccount >= maxOfAccount) {
        throw new TooManySubscribers(
          `${ofAccount} subscriptions of this credential or network are open; at most ${maxOfAccount}`,
        );
      }
      change(account, 1);
    },
    free: account => change(account, -1),
    countTaken: () => taken,
  };
}
