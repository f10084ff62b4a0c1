import type { Loaders } from './loaders.ts';

/** That a product, or what is shown of it, may be another than before. */
export interface ProductChange {
  productId: string;
  /** Read nothing before the change. */
  loaders: Loaders;
}

interface SubscriptionOptions {
  onLeave: () => void;
  tellLater: () => void;
}

/**
 * The changes of one product for one subscriber. Holds one change at the most, however slowly they are taken: the
 * latest. Not an async generator: to leave one, the next change would have to be awaited.
 */
export class ChangeSubscription implements AsyncIterableIterator<ProductChange> {
  readonly #options: SubscriptionOptions;
  #untold: ProductChange | null = null;
  #take: ((result: IteratorResult<ProductChange, undefined>) => void) | null = null;
  #isClosed = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  tell(change: ProductChange): void {
    const take = this.#take;
    this.#take = null;
    if (take) take({ done: false, value: change });
    else this.#untold = change;
  }

  /** Has the product told again in a while: what was to be read with the last change could not be read. */
  tellLater(): void {
    this.#options.tellLater();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#untold = null;
    this.#options.onLeave();
    this.#take?.({ done: true, value: undefined });
    this.#take = null;
  }

  async next(): Promise<IteratorResult<ProductChange, undefined>> {
    if (this.#isClosed) return { done: true, value: undefined };
    const value = this.#untold;
    this.#untold = null;
    if (value) return { done: false, value };
    return new Promise(resolve => {
      this.#take = resolve;
    });
  }

  async return(): Promise<IteratorResult<ProductChange, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}
