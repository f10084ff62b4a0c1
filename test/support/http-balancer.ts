import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/**
 * Spreads requests over services that are /ready, over connections that it keeps, as a load balancer does. One is
 * tried on the next service only where the connection was refused, so that nothing of it can have been done.
 */
export interface HttpBalancer {
  url: string;
  /** Of requests that were answered 502, for neither service could be asked or one broke off. */
  failures: string[];
  countAnswered(target: string): number;
  close(): Promise<void>;
}

const readyPollMs = 100;

export async function openHttpBalancer(targets: string[]): Promise<HttpBalancer> {
  const agent = new Agent({ keepAlive: true });
  const ready = new Set(targets);
  const answered = new Map<string, number>();
  const failures: string[] = [];
  let turn = 0;
  const look = async (target: string) => {
    const isReady = await fetch(`${target}/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) ready.add(target);
    else ready.delete(target);
  };
  const polling = setInterval(() => void Promise.all(targets.map(look)), readyPollMs);

  async function pass(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const body = await buffer(from);
    const first = turn++;
    const candidates = [...(ready.size > 0 ? ready : targets)];
    for (let tries = 0; tries < candidates.length; tries++) {
      const target = candidates[(first + tries) % candidates.length] ?? '';
      try {
        const answer = await ask(agent, target, from, body);
        answered.set(target, (answered.get(target) ?? 0) + 1);
        to.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
        return;
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
        if (code === 'ECONNREFUSED' && tries + 1 < candidates.length) continue;
        failures.push(code);
        to.writeHead(502).end();
        return;
      }
    }
  }

  const server = createServer((from, to) => void pass(from, to)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    failures,
    countAnswered: target => answered.get(target) ?? 0,
    async close() {
      clearInterval(polling);
      agent.destroy();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function ask(agent: Agent, target: string, { url, method, headers }: IncomingMessage, body: Buffer) {
  const sent = request(new URL(url ?? '/', target), { method, headers, agent });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return {
    status: answer.statusCode ?? 0,
    type: answer.headers['content-type'] ?? '',
    body: await buffer(answer),
  };
}
