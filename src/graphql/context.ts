import type { ServerResponse } from 'node:http';
import { type Caller, stranger } from '../access/caller.ts';
import type { ChangeFeed } from '../data/change-feed.ts';
import type { ChangeSubscription } from '../data/change-subscription.ts';
import type { Database } from '../data/database.ts';
import { createLoaders, type Loaders } from '../data/loaders.ts';
import type { Visibility } from '../data/visibility.ts';
import type { GalleryLimits } from '../gallery/limits.ts';
import type { Intake } from '../importing/intake.ts';
import type { AddressWriter, ImageAddress, SigningBatch } from '../rendering/address.ts';
import type { RecipeBounds } from '../rendering/recipe.ts';
import type { ReadLimits } from './arguments.ts';
import type { Taken } from './known-queries.ts';
import { type Stream, streamBegun } from './live-changes.ts';

/** What resolvers work with; made anew for each request. */
export interface Context {
  caller: Caller;
  /** What of the images the caller sees; strangers only what is ready. */
  visibility: Visibility;
  /** In fields that the answer could have; known before execution. */
  operationCost?: number;
  /** Where the short way gave it up: what it did by then. */
  taken?: Taken | undefined;
  /** What the field of a mutation came to where a plan has called it: it must not be called again. */
  called?: Promise<unknown> | undefined;
  db: Database;
  /** Made anew after each mutation, so that later fields of the request see what it did. */
  loaders: Loaders;
  limits: GalleryLimits & ReadLimits;
  /** Takes in files that come with a request or lie in the import directory. */
  intake: Intake;
  /** Has images that were just added imported without delay. */
  wakeImporting: () => void;
  /** Removes the bytes that permanently deleted images were the last to name; never rejects. */
  collectFiles: () => Promise<void>;
  addresses: Addresses;
  /** Tells subscribers of changes. */
  changes: ChangeFeed;
  /** How many proxies stand before the service, whose word on a client's address is taken. */
  trustedProxies: number;
  stream: Stream;
  /** What a subscription is told by. */
  subscription?: ChangeSubscription;
}

/** Where and in which sizes pictures are handed out. */
export interface Addresses {
  /** The whole address, signed. */
  format: (address: ImageAddress) => string;
  /** Writes the same into answers: what ends alike. */
  writerOf: (ending: string) => AddressWriter;
  /** For the signatures of all that is written into one answer. */
  createBatch: () => SigningBatch;
  bounds: RecipeBounds;
  sizes: Record<'zoom' | 'thumbnail' | 'standard' | 'tiny', { width: number; height: number }>;
  /** For how long a download is good. */
  downloadSeconds: number;
}

/** What a request adds. */
type RequestContext =
  | 'caller'
  | 'visibility'
  | 'loaders'
  | 'stream'
  | 'subscription'
  | 'operationCost'
  | 'taken'
  | 'called';

export type ServiceContext = Omit<Context, RequestContext>;

export interface AskingRequest extends Pick<Context, 'taken'> {
  request: { signal: AbortSignal };
  res?: ServerResponse;
  /** A stranger where nobody found out. */
  caller?: Caller;
  isStillGood?: Stream['isStillGood'];
}

export function createRequestContext(service: ServiceContext, asking: AskingRequest): Context {
  const { request, res, caller = stranger, isStillGood = async () => false, taken } = asking;
  const visibility = caller.isStranger ? 'READY' : 'LIVE';
  return {
    ...service,
    caller,
    visibility,
    loaders: taken?.loaders ?? createLoaders(service.db, visibility),
    stream: new AnswerStream(request, res, isStillGood),
    taken,
    called: taken?.called,
  };
}

/**
 * A class, for an object literal with a getter has a shape of its own, which lies in V8's old space and keeps the request
 * there until the next major collection.
 */
class AnswerStream implements Stream {
  readonly begin: () => void;
  readonly end: () => void;
  readonly isStillGood: Stream['isStillGood'];
  readonly #request: AskingRequest['request'];

  constructor(
    request: AskingRequest['request'],
    res: ServerResponse | undefined,
    isStillGood: Stream['isStillGood'],
  ) {
    this.#request = request;
    this.begin = () => res?.emit(streamBegun);
    this.end = () => res?.end();
    this.isStillGood = isStillGood;
  }

  /** Made when it is first asked for. */
  get signal(): AbortSignal {
    return this.#request.signal;
  }
}
