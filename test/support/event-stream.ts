import { onTestFinished } from 'vitest';
import type { Answer } from './service.ts';

/** A subscription over server-sent events, as a client sees it. */
export interface EventStream<Data> {
  response: Response;
  /** All answers that came so far. */
  answers: Answer<Data>[];
  /** How often the service said nothing, to keep the connection. */
  countHeartbeats(): number;
  /** Resolves with the first answer that is so; fails after the time. */
  find(isIt: (data: Data) => boolean, timeoutMs?: number): Promise<Data>;
  /** "complete" where the service said so, else "cut". */
  ended: Promise<'complete' | 'cut'>;
  leave(): void;
}

/** The end of the test leaves. */
export async function openEventStream<Data>(
  serviceUrl: string,
  query: string,
  variables?: object,
  headers: Record<string, string> = {},
): Promise<EventStream<Data>> {
  const leaving = new AbortController();
  onTestFinished(() => leaving.abort());
  const response = await fetch(`${serviceUrl}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify({ query, variables }),
    signal: leaving.signal,
  });
  const answers: Answer<Data>[] = [];
  const seekers = new Set<() => void>();
  let heartbeats = 0;
  const take = (block: string) => {
    if (block.startsWith(':')) heartbeats++;
    const data = /^data: (.+)$/m.exec(block)?.[1];
    if (data) answers.push(JSON.parse(data));
    for (const seek of seekers) seek();
  };
  return {
    response,
    answers,
    countHeartbeats: () => heartbeats,
    find: (isIt, timeoutMs = 5_000) =>
      new Promise((resolve, reject) => {
        const seek = () => {
          const found = answers.find(({ data }) => data && isIt(data));
          if (!found) return;
          clearTimeout(timer);
          seekers.delete(seek);
          resolve(found.data);
        };
        const fail = () => reject(new Error(`not told within ${timeoutMs} ms: ${JSON.stringify(answers)}`));
        const timer = setTimeout(fail, timeoutMs);
        seekers.add(seek);
        seek();
      }),
    ended: readBlocks(response, take),
    leave: () => leaving.abort(),
  };
}

async function readBlocks(response: Response, take: (block: string) => void): Promise<'complete' | 'cut'> {
  let text = '';
  let isComplete = false;
  try {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        if (block.startsWith('event: complete')) isComplete = true;
        take(block);
      }
    }
  } catch {
    // It was cut.
  }
  return isComplete ? 'complete' : 'cut';
}
