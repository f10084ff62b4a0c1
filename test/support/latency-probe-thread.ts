import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

// Asks one small question after the other until it is told to stop, then tells how long each answer took. In a thread
// of its own, so that nothing of the test's counts.

const { url, query, pauseMs }: { url: string; query: string; pauseMs: number } = workerData;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const body = JSON.stringify({ query });
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
let isStopped = false;
parentPort?.once('message', () => {
  isStopped = true;
});

const times: number[] = [];
while (!isStopped) {
  const startedAt = performance.now();
  await ask();
  times.push(performance.now() - startedAt);
  await sleep(pauseMs);
}
agent.destroy();
parentPort?.postMessage(times);

function ask(): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/graphql`, { method: 'POST', agent, headers }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk;
      });
      response.once('end', () => {
        if (response.statusCode === 200 && !text.includes('"errors"')) resolve();
        else reject(new Error(`${response.statusCode}: ${text}`));
      });
    });
    sent.once('error', reject).end(body);
  });
}
