import { GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { findAccount, type Requests } from '../access/account.ts';
import type { ChangeSubscription } from '../data/change-subscription.ts';
import { TooManySubscribers } from '../data/subscriber-places.ts';
import { isUnavailability } from '../data/unavailable.ts';
import { notAcceptable, takesStreams } from './content-types.ts';
import type { Context } from './context.ts';

/** The answer to a request, as far as one that goes on needs to know of it. */
export interface Stream {
  /** Aborted when the client leaves. */
  signal: AbortSignal;
  /** From now on it lasts as long as its client likes: what waits for its end need not wait any more. */
  begin(): void;
  /** Ends the answer amid the stream, so that clients know to come back: "complete" would tell them not to. */
  end(): void;
  /** Whether the client could subscribe now: keys are revoked, tokens end. */
  isStillGood(): Promise<boolean>;
}

/** What a response emits when it has begun to be one. */
export const streamBegun = Symbol('A stream has begun');

const recheckMs = 5_000;

/** Ends with the client's request, also where that is gone before the stream begins. */
export async function subscribeTo(
  productId: string,
  context: Context & Requests,
): Promise<ChangeSubscription> {
  const { signal, end } = context.stream;
  try {
    const subscription = await context.changes.subscribe(productId, {
      onEnd: end,
      visibility: context.visibility,
      network: context.caller.isStranger
        ? findAccount(context.caller, context, context.trustedProxies)
        : null,
    });
    context.subscription = subscription;
    context.stream.begin();
    if (signal.aborted) subscription.close();
    else signal.addEventListener('abort', () => subscription.close(), { once: true });
    recheck(subscription, context.stream);
    return subscription;
  } catch (error) {
    throw error instanceof TooManySubscribers ? tooMany(error) : error;
  }
}

/** Ends the stream of who could not subscribe any more. */
function recheck(subscription: ChangeSubscription, { isStillGood, end }: Stream): void {
  const timer = setInterval(async () => {
    if (subscription.isClosed) clearInterval(timer);
    else if (!(await isStillGood())) {
      subscription.close();
      end();
    }
  }, recheckMs).unref();
}

function tooMany({ message }: TooManySubscribers): GraphQLError {
  return new GraphQLError(`${message}; try again later`, {
    extensions: { code: 'TOO_MANY_SUBSCRIBERS', http: { status: 503, headers: { 'retry-after': '5' } } },
  });
}

/** Streams go only to who takes them, and what could not be read is told again. */
export function useLiveChanges(): Plugin<Context> {
  return {
    onSubscribe({ args, setResultAndStopExecution }) {
      const accepted = args.contextValue.request.headers.get('accept');
      if (!takesStreams(accepted)) {
        setResultAndStopExecution({ errors: [notAcceptable(accepted, 'text/event-stream')] });
        return undefined;
      }
      return {
        onSubscribeResult: () => ({
          onNext({ result }) {
            const isPartial = result.errors?.some(({ originalError }) => isUnavailability(originalError));
            if (isPartial) args.contextValue.subscription?.tellLater();
          },
        }),
      };
    },
    onResultProcess({ result, resultProcessor }) {
      // Nobody will take it.
      if (!resultProcessor && isAsyncIterable(result)) result[Symbol.asyncIterator]().return?.();
    },
  };
}
