import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

export interface OverloadOptions {
  /** Who would wait longer, going by how fast answers go out, is refused. */
  maxWaitMs: number;
  /** So many at once are never refused: a burst after silence tells nothing of how fast they will be answered. */
  alwaysTaken: number;
}

/** Weight of the newest interval in the mean: some hundred answers of late decide. */
const newestWeight = 0.02;

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
  let underWay = 0;
  let meanIntervalMs = 0;
  let lastAnswerAt = 0;

  const noteAnswer = () => {
    const now = performance.now();
    // Since there was something to do, that is; what came before was idleness.
    if (underWay > 1) meanIntervalMs += newestWeight * (now - lastAnswerAt - meanIntervalMs);
    lastAnswerAt = now;
    underWay--;
  };

  return (request, response) => {
    if (isLong(request)) return handler(request, response);
    if (underWay >= alwaysTaken && underWay * meanIntervalMs > maxWaitMs) return refuse(request, response);
    if (underWay++ === 0) lastAnswerAt = performance.now();
    response.once('close', noteAnswer);
    return handler(request, response);
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
