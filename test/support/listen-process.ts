import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '../../src/listen.ts';

/** What a test asks of this process: to listen at a moment, in milliseconds since 1970. */
export interface ListenQuestion {
  host: string;
  port: number;
  at: number;
}

// Answers null once it listens, else why it does not; until the next question it goes on listening.

let close = async () => {};

process.on('message', async ({ host, port, at }: ListenQuestion) => {
  await close();
  close = async () => {};
  await sleep(at - Date.now());
  try {
    const listening = await listen((_request, response) => response.end(), host, port);
    close = () => listening.close(0);
    process.send?.(null);
  } catch (error) {
    process.send?.(error instanceof Error ? error.message : String(error));
  }
});
