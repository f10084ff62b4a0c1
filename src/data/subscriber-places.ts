export class TooManySubscribers extends Error {
  override name = 'TooManySubscribers';
}

/** How many subscriptions there may be, of all, and of strangers of one network; null has no bound of its own. */
export interface SubscriberPlaces {
  /** Throws TooManySubscribers where none is left. */
  take(network: string | null): void;
  free(network: string | null): void;
  countTaken(): number;
}

export function createSubscriberPlaces(max: number, maxOfNetwork: number): SubscriberPlaces {
  const takenBy = new Map<string, number>();
  let taken = 0;

  function change(network: string | null, by: 1 | -1): void {
    taken += by;
    if (network === null) return;
    const ofNetwork = (takenBy.get(network) ?? 0) + by;
    if (ofNetwork > 0) takenBy.set(network, ofNetwork);
    else takenBy.delete(network);
  }

  return {
    take(network) {
      if (taken >= max) throw new TooManySubscribers(`${taken} subscriptions are open; at most ${max}`);
      const ofNetwork = network === null ? 0 : (takenBy.get(network) ?? 0);
      if (network !== null && ofNetwork >= maxOfNetwork) {
        throw new TooManySubscribers(
          `${ofNetwork} subscriptions of strangers from this network are open; at most ${maxOfNetwork}`,
        );
      }
      change(network, 1);
    },
    free: network => change(network, -1),
    countTaken: () => taken,
  };
}
