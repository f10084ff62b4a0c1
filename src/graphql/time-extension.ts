import { isAsyncIterable, type Plugin } from 'graphql-yoga';

/** A request that has it, whatever it says but nothing, is told in `extensions.time` how long it took. */
export const timeHeader = 'x-packshot-time';

/** As Bitrix24's REST answers have it: seconds since 1970, and seconds. */
interface Time {
  start: number;
  finish: number;
  /** From the head of the request to the result. */
  duration: number;
  /** Without the reading of the body. */
  processing: number;
  date_start: string;
  date_finish: string;
}

interface Clock {
  startMs: number;
  parsedMs: number;
}

const now = () => performance.timeOrigin + performance.now();

/** Streams are left out: their events are not answers to a request that had a beginning. */
export function useTimeExtension(): Plugin {
  const clocks = new WeakMap<Request, Clock>();
  return {
    onRequest({ request }) {
      if (!request.headers.has(timeHeader)) return;
      const startMs = now();
      clocks.set(request, { startMs, parsedMs: startMs });
    },
    onParams({ request }) {
      const clock = clocks.get(request);
      if (clock) clock.parsedMs = now();
    },
    onResultProcess({ request, result, setResult }) {
      const clock = clocks.get(request);
      if (!clock || isAsyncIterable(result) || Array.isArray(result)) return;
      setResult({ ...result, extensions: { ...result.extensions, time: tell(clock, now()) } });
    },
  };
}

function tell({ startMs, parsedMs }: Clock, finishMs: number): Time {
  return {
    start: startMs / 1_000,
    finish: finishMs / 1_000,
    duration: (finishMs - startMs) / 1_000,
    processing: (finishMs - parsedMs) / 1_000,
    date_start: new Date(startMs).toISOString(),
    date_finish: new Date(finishMs).toISOString(),
  };
}
