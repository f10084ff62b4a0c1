import type { Caller } from '../access/caller.ts';
import type { ChangeFeed } from '../data/change-feed.ts';
import type { ChangeSubscription } from '../data/change-subscription.ts';
import type { Database } from '../data/database.ts';
import type { Loaders } from '../data/loaders.ts';
import type { Visibility } from '../data/visibility.ts';
import type { GalleryLimits } from '../gallery/limits.ts';
import type { Intake } from '../importing/intake.ts';
import type { ImageAddress } from '../rendering/address.ts';
import type { RecipeBounds } from '../rendering/recipe.ts';
import type { ReadLimits } from './arguments.ts';
import type { Stream } from './live-changes.ts';

/** What resolvers work with; made anew for each request. */
export interface Context {
  caller: Caller;
  /** What of the images the caller sees; strangers only what is ready. */
  visibility: Visibility;
  /** In fields that the answer could have; known before execution. */
  operationCost?: number;
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
  stream: Stream;
  /** What a subscription is told by. */
  subscription?: ChangeSubscription;
}

/** Where and in which sizes pictures are handed out. */
export interface Addresses {
  /** The whole address, signed. */
  format: (address: ImageAddress) => string;
  bounds: RecipeBounds;
  sizes: Record<'zoom' | 'thumbnail' | 'standard' | 'tiny', { width: number; height: number }>;
  /** For how long a download is good. */
  downloadSeconds: number;
}
