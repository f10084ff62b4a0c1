import { type Logger, outsideRequests } from '../log.ts';
import { type ChangeListener, openChangeListener } from './change-listener.ts';
import { ChangeSubscription } from './change-subscription.ts';
import type { Database } from './database.ts';
import { createLoaders } from './loaders.ts';
import { createSubscriberPlaces } from './subscriber-places.ts';
import { DatabaseUnavailable } from './unavailable.ts';
import type { Visibility } from './visibility.ts';

/** Tells who subscribed of changes of a product, whichever process makes them. */
export interface ChangeFeed {
  /**
   * The first change tells how things are; each that follows, how they are after at least one more. Changes in close
   * succession may be told as one, the last of them always is. Throws TooManySubscribers.
   */
  subscribe(productId: string, subscriber: Subscriber): Promise<ChangeSubscription>;
  countSubscribers(): number;
  /** Ends all subscriptions, takes no more. */
  close(): Promise<void>;
}

export interface SubscriberEvents {
  /** The feed closes; what was not told is not told any more. */
  onEnd(): void;
}

/** Who is told, and of which images. */
export interface Subscriber extends SubscriberEvents {
  visibility: Visibility;
  /** Of a stranger; all of one network have a bound in common. Null where there is none but that of all. */
  network: string | null;
}

export interface ChangeFeedOptions {
  url: string;
  /** What a change is read from. */
  db: Database;
  maxSubscribers: number;
  /** Of one network; null for a tenth of all. */
  maxStrangerSubscribers: number | null;
  log: Logger;
}

/** What changes within this time is told, and read, at once. */
const gatherMs = 25;
/** After a read that failed. */
const tellAgainMs = 1_000;
const maxRetryMs = 2_000;

/** Connects with the first subscriber and disconnects after the last. */
export function openChangeFeed(options: ChangeFeedOptions): ChangeFeed {
  const { url, db, maxSubscribers, log } = options;
  const maxOfNetwork = options.maxStrangerSubscribers ?? Math.ceil(maxSubscribers / 10);
  const places = createSubscriberPlaces(maxSubscribers, maxOfNetwork);
  const subscribers = new Map<string, Map<ChangeSubscription, Subscriber>>();
  const changed = new Set<string>();
  let isClosed = false;
  let gathering: NodeJS.Timeout | undefined;
  let listener: Promise<ChangeListener> | null = null;
  /** Since then, changes may have been missed. */
  let isLost = false;
  let failures = 0;
  let reconnecting: NodeJS.Timeout | undefined;
  let disconnecting = Promise.resolve();

  function note(productIds: Iterable<string>): void {
    for (const id of productIds) if (subscribers.has(id)) changed.add(id);
    if (changed.size > 0) gathering ??= setTimeout(tell, gatherMs);
  }

  /** All subscribers share what is read, so that a change costs the same statements however many they are. */
  function tell(): void {
    gathering = undefined;
    const loaders = { LIVE: createLoaders(db, 'LIVE'), READY: createLoaders(db, 'READY') };
    for (const productId of changed) {
      for (const [subscription, { visibility }] of subscribers.get(productId) ?? []) {
        subscription.tell({ productId, loaders: loaders[visibility] });
      }
    }
    changed.clear();
  }

  function listen(): Promise<ChangeListener> {
    if (listener) return listener;
    clearTimeout(reconnecting);
    const connecting = connect(() => lose(connecting));
    listener = connecting;
    connecting.catch(error => lose(connecting, error));
    return connecting;
  }

  async function connect(onLost: () => void): Promise<ChangeListener> {
    const opened = await outsideRequests(() => openChangeListener(url, { onChange: note, onLost }));
    await opened.watch([...subscribers.keys()]).catch(async error => {
      await opened.close();
      throw error;
    });
    failures = 0;
    if (isLost) note(subscribers.keys());
    isLost = false;
    return opened;
  }

  function lose(lost: Promise<ChangeListener>, error?: unknown): void {
    if (listener !== lost) return;
    if (!isLost) log.warn({ err: error }, 'Changes cannot be listened for; it is tried again until they can');
    listener = null;
    isLost = true;
    if (isClosed || subscribers.size === 0) return;
    const delayMs = Math.min(100 * 2 ** failures++, maxRetryMs) * (0.75 + Math.random() / 2);
    reconnecting = setTimeout(() => listen().catch(() => {}), delayMs);
  }

  function disconnect(): void {
    clearTimeout(reconnecting);
    clearTimeout(gathering);
    gathering = undefined;
    changed.clear();
    const disconnected = listener;
    listener = null;
    isLost = false;
    if (disconnected) disconnecting = disconnected.then(opened => opened.close()).catch(() => {});
  }

  function add(productId: string, subscriber: Subscriber): ChangeSubscription {
    const ofProduct = subscribers.get(productId) ?? new Map();
    subscribers.set(productId, ofProduct);
    const subscription = new ChangeSubscription({
      onLeave: () => leave(productId, subscription),
      tellLater: () => setTimeout(() => note([productId]), tellAgainMs).unref(),
    });
    ofProduct.set(subscription, subscriber);
    return subscription;
  }

  function leave(productId: string, subscription: ChangeSubscription): void {
    const ofProduct = subscribers.get(productId);
    const subscriber = ofProduct?.get(subscription);
    if (!ofProduct || !subscriber) return;
    ofProduct.delete(subscription);
    places.free(subscriber.network);
    if (ofProduct.size > 0) return;
    subscribers.delete(productId);
    if (subscribers.size === 0) disconnect();
    else listener?.then(opened => subscribers.has(productId) || opened.unwatch(productId)).catch(() => {});
  }

  return {
    async subscribe(productId, subscriber) {
      if (isClosed) throw new DatabaseUnavailable('The service is stopping');
      places.take(subscriber.network);
      const subscription = add(productId, subscriber);
      try {
        const opened = await listen();
        await opened.watch([productId]);
        subscription.tell({ productId, loaders: createLoaders(db, subscriber.visibility) });
        return subscription;
      } catch (error) {
        subscription.close();
        throw new DatabaseUnavailable('Changes cannot be listened for', { cause: error });
      }
    },
    countSubscribers: places.countTaken,
    async close() {
      isClosed = true;
      for (const [productId, ofProduct] of [...subscribers]) {
        for (const [subscription, { onEnd }] of [...ofProduct]) {
          onEnd();
          leave(productId, subscription);
        }
      }
      await disconnecting;
    },
  };
}
