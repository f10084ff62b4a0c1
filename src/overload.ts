import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

export interface OverloadOptions {
  /** Who would wait longer, going by how fast answers go out, is refused. */
  maxWaitMs: number;
  /** So many at once are never refused: a burst after silence tells nothing of how fast they will be answered. */
  alwaysTaken: number;
}

/**
 * How fast answers go out is taken over so long: they go in bursts, one for each turn of the event loop, and a mean over
 * the last few would tell of a burst alone.
 */
const windowMs = 200;

/** Text goes out with the head in one piece; bytes would go in two. */
const refusal = JSON.stringify({
  errors: [
    {
      message: 'There is more to do than can be answered in time; try again.',
      extensions: { code: 'SERVICE_UNAVAILABLE' },
    },
  ],
});

/**
 * Refuses at once, before anything is read of a request, what could only wait, so that the others are answered in time:
 * what is under way, divided by the rate at which answers go out, is how long one that came now would take (Little's law).
 */
export function refuseExcess(handler: RequestListener, options: OverloadOptions): RequestListener {
  const { maxWaitMs, alwaysTaken } = options;
  const pace = createPace();
  const startSoon = createTurns();
  let underWay = 0;

  const noteAnswer = () => {
    underWay--;
    pace.noteAnswer(underWay === 0);
  };

  return (request, response) => {
    if (isLong(request)) return handler(request, response);
    if (underWay >= alwaysTaken && underWay * pace.msPerAnswer() > maxWaitMs)
      return refuse(request, response);
    if (underWay++ === 0) pace.begin();
    response.once('close', noteAnswer);
    startSoon(() => {
      if (!response.destroyed) handler(request, response);
    });
  };
}

/** After so long in one turn of the event loop, what else came with it waits for the next ones. */
const turnMs = 10;
/** So many of those that wait begin in each. */
const perTurn = 8;

/**
 * Lets no turn of the event loop become long, however many requests come with it: those that are to be refused, and
 * connections, come with the next.
 */
function createTurns(): (start: () => void) => void {
  const waiting: (() => void)[] = [];
  let beganAt: number | null = null;
  const endTurn = () => {
    beganAt = null;
  };
  const startSome = () => {
    for (const start of waiting.splice(0, perTurn)) start();
    if (waiting.length > 0) setImmediate(startSome);
  };
  return start => {
    const now = performance.now();
    if (beganAt === null) {
      beganAt = now;
      setImmediate(endTurn);
    }
    if (waiting.length === 0 && now - beganAt < turnMs) return start();
    if (waiting.push(start) === 1) setImmediate(startSome);
  };
}

/** The mean time from answer to answer while there is something to do; idleness is left out. */
function createPace() {
  let meanMs = 0;
  let windowBeganAt = 0;
  let idleSince: number | null = 0;
  let answers = 0;
  return {
    begin(): void {
      const now = performance.now();
      windowBeganAt += idleSince === null ? 0 : now - idleSince;
      idleSince = null;
    },
    noteAnswer(isLast: boolean): void {
      const now = performance.now();
      answers++;
      if (now - windowBeganAt >= windowMs) {
        const latestMs = (now - windowBeganAt) / answers;
        meanMs = meanMs === 0 ? latestMs : (meanMs + latestMs) / 2;
        windowBeganAt = now;
        answers = 0;
      }
      if (isLast) idleSince = now;
    },
    /** 0 as long as nothing is known. */
    msPerAnswer(): number {
      const sinceMs = performance.now() - windowBeganAt;
      // Where nothing goes out any more, that counts as well.
      return sinceMs > windowMs ? Math.max(meanMs, sinceMs / (answers + 1)) : meanMs;
    },
  };
}

/** Streams and uploads take as long as their clients like, and say nothing of how busy the service is. */
function isLong({ headers }: IncomingMessage): boolean {
  return (
    headers.accept?.includes('text/event-stream') === true ||
    headers['content-type']?.startsWith('multipart/') === true
  );
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
