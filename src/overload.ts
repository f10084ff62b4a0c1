import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { createConcurrency } from './concurrency.ts';
import { streamBegun } from './graphql/live-changes.ts';
import { formatUnavailable } from './graphql/mask-error.ts';
import { createTurns } from './turns.ts';
import { type AnswerWhole, createWholePosts, type TakenPost } from './whole-posts.ts';

export interface OverloadOptions {
  /** Of the requests that are limited. */
  path: string;
  /** Who would wait longer, going by how fast answers go out, is refused. */
  maxWaitMs: number;
  /** So many at once are never refused: a burst after silence tells nothing of how fast they will be answered. */
  alwaysTaken: number;
  /** For each request that is refused so early that no handler sees it. */
  onRefusedEarly: () => void;
  /** Answers what need not go through HTTP. */
  answerWhole?: AnswerWhole;
}

/**
 * Refuses at once, before anything is read of a request, what could only wait, so that the others are answered in time:
 * what is under way, divided by the rate at which answers go out, is how long one that came now would take (Little's law).
 */
export interface Overload {
  limit(handler: RequestListener): RequestListener;
  /** For the server whose requests are limited, before it listens. */
  watch(server: Server): void;
  /**
   * From now on all goes through HTTP, also what was held: who closes the HTTP server knows of those that it has, and it
   * tells clients when their connection is closing. Settled when what was being answered without it has been.
   */
  stop(): Promise<void>;
}

/**
 * How fast answers go out is taken over so long: they go in bursts, one for each turn of the event loop, and a mean over
 * the last few would tell of a burst alone.
 */
const windowMs = 200;

/** What was too slow may be quick again: after so long without excess it is not known any more. */
const memoryMs = 10_000;

/** Of fewer in that time it could not be told what they took of the processor, and what else did. */
const leastCalmAnswers = 32;

/** Text goes out with the head in one piece; bytes would go in two. */
const refusal = formatUnavailable('There is more to do than can be answered in time; try again.');

export function createOverload(options: OverloadOptions): Overload {
  const { path, maxWaitMs, alwaysTaken, onRefusedEarly, answerWhole = () => null } = options;
  const pace = createPace();
  const turns = createTurns();
  const concurrency = createConcurrency();
  const beginInTurn = (start: () => void) => concurrency.begin(() => turns.begin(start));
  /** With those that are held. */
  let underWay = 0;
  /** One is just being handed to the HTTP server, and by it to the handler. */
  let isHandedOver = false;
  let isStopping = false;

  const isExcess = () => underWay >= alwaysTaken && pace.waitMs(underWay) > maxWaitMs;
  const enter = () => {
    if (++underWay === alwaysTaken) pace.begin();
  };
  const leave = () => {
    if (underWay-- === alwaysTaken) pace.end();
  };
  const noteAnswer = () => {
    pace.noteAnswer();
    leave();
  };
  const end = () => {
    noteAnswer();
    concurrency.end();
  };
  const handOn = (post: TakenPost) => {
    isHandedOver = true;
    post.handOn();
    // Its client has left, or it was not for this handler.
    if (isHandedOver) {
      leave();
      concurrency.end();
    }
    isHandedOver = false;
  };
  /** Requests that are not the HTTP server's. */
  let answering = 0;
  const allAnswered = Promise.withResolvers<void>();
  const answer = (post: TakenPost) => {
    const answered = isStopping ? null : post.answer();
    if (!answered) return handOn(post);
    answering++;
    void answered.then(isAnswered => {
      if (isAnswered) end();
      else handOn(post);
      if (--answering === 0 && isStopping) allAnswered.resolve();
    });
  };
  const whole = createWholePosts({
    path,
    isExcess: () => !isStopping && isExcess(),
    refusal,
    onRefused: onRefusedEarly,
    refuse: turns.refuse,
    take(post) {
      enter();
      beginInTurn(() => answer(post));
    },
    answer: answerWhole,
  });

  return {
    limit: handler => (request, response) => {
      if (isLong(request)) return handler(request, response);
      if (isHandedOver) {
        isHandedOver = false;
        onceAnswered(response, end);
        return handler(request, response);
      }
      if (isExcess()) return refuse(request, response);
      enter();
      onceAnswered(response, noteAnswer);
      const start = () => {
        if (response.destroyed) return concurrency.end();
        onceAnswered(response, concurrency.end);
        handler(request, response);
      };
      const scope = new AsyncResource('HeldRequest');
      beginInTurn(() => scope.runInAsyncScope(start));
    },
    watch: whole.watch,
    async stop() {
      isStopping = true;
      concurrency.release();
      turns.end();
      if (answering > 0) await allAnswered.promise;
    },
  };
}

/**
 * The mean time from answer to answer while more are under way than are always taken: with fewer it would tell of how many
 * ask. Nor does the time until the first answer of a burst tell anything; until then it is what answers took of the
 * processor before.
 */
function createPace() {
  const calm = createCalmPace();
  let meanMs = 0;
  let windowBeganAt = 0;
  let answers = 0;
  /** Null while answers are counted. */
  let uncountedSince: number | null = 0;
  let burstBeganAt: number | null = null;
  return {
    begin(): void {
      burstBeganAt = performance.now();
      if (burstBeganAt - (uncountedSince ?? burstBeganAt) > memoryMs) meanMs = 0;
    },
    noteAnswer(): void {
      const now = performance.now();
      if (burstBeganAt !== null) {
        windowBeganAt += now - (uncountedSince ?? now);
        uncountedSince = null;
        burstBeganAt = null;
      }
      if (uncountedSince !== null) {
        calm.noteAnswer(now);
        return;
      }
      answers++;
      if (now - windowBeganAt < windowMs) return;
      const latestMs = (now - windowBeganAt) / answers;
      meanMs = meanMs === 0 ? latestMs : (meanMs + latestMs) / 2;
      windowBeganAt = now;
      answers = 0;
    },
    end(): void {
      burstBeganAt = null;
      uncountedSince ??= performance.now();
    },
    /** How long one would wait behind so many; 0 as long as nothing is known. */
    waitMs(underWay: number): number {
      const now = performance.now();
      const sinceMs = now - (burstBeganAt ?? windowBeganAt);
      const knownMs = meanMs || calm.meanMs(now);
      if (burstBeganAt !== null || answers === 0) return Math.max(underWay * knownMs, sinceMs);
      // Where less and less goes out, that counts at once.
      return underWay * (sinceMs > windowMs ? Math.max(knownMs, sinceMs / (answers + 1)) : knownMs);
    },
  };
}

/** What the event loop was busy for each answer while few were under way: they cannot go out faster than that. */
function createCalmPace() {
  let meanMs = 0;
  let measuredAt = Number.NEGATIVE_INFINITY;
  let answers = 0;
  let windowBeganAt = Number.NEGATIVE_INFINITY;
  let busyMs = 0;
  return {
    noteAnswer(now: number): void {
      answers++;
      const tookMs = now - windowBeganAt;
      if (tookMs < windowMs) return;
      const busyUntilNowMs = performance.eventLoopUtilization().active;
      if (tookMs < 2 * windowMs && answers >= leastCalmAnswers) {
        meanMs = (busyUntilNowMs - busyMs) / answers;
        measuredAt = now;
      }
      answers = 0;
      windowBeganAt = now;
      busyMs = busyUntilNowMs;
    },
    /** 0 where too little was answered lately. */
    meanMs: (now: number): number => (now - measuredAt > memoryMs ? 0 : meanMs),
  };
}

/**
 * Streams and uploads take as long as their clients like, and say nothing of how busy the service is. Who would also take
 * JSON, as clients that ask for all in the same way, may have asked for an answer like any other.
 */
function isLong({ headers: { accept = '', 'content-type': type = '' } }: IncomingMessage): boolean {
  return (
    (/text\/event-stream/i.test(accept) && !/json|\*\/\*|application\/\*/i.test(accept)) ||
    /^multipart\//i.test(type)
  );
}

/** Calls when the answer has gone out, or has turned out to be a stream. */
function onceAnswered(response: ServerResponse, note: () => void): void {
  const noteOnce = () => {
    response.off('close', noteOnce);
    response.off(streamBegun, noteOnce);
    note();
  };
  response.once('close', noteOnce);
  response.once(streamBegun, noteOnce);
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  // What comes of the body is let go, so that the connection can be used again.
  request.resume();
  response
    .writeHead(503, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(refusal),
      'cache-control': 'no-store',
      'retry-after': '1',
    })
    .end(refusal);
}
