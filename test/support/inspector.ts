import { once } from 'node:events';

/** In bytes, as process.memoryUsage() tells. */
export interface MemoryUsage {
  rss: number;
  heapUsed: number;
  external: number;
  arrayBuffers: number;
}

/** Asks a process that was started with --inspect, at the address that it wrote to standard error. */
export async function measureMemory(stderr: string): Promise<MemoryUsage> {
  const [address] = /ws:\/\/127\.0\.0\.1:\d+\/\S+/.exec(stderr) ?? [];
  if (!address) throw new Error(`the process tells no address of its inspector: ${stderr}`);
  const socket = new WebSocket(address);
  await once(socket, 'open');
  try {
    // What a first collection finalizes, a second one frees.
    for (let times = 0; times < 2; times += 1) await ask(socket, 'HeapProfiler.collectGarbage', {});
    const expression = 'JSON.stringify(process.memoryUsage())';
    const { result } = await ask<{ result: { value: string } }>(socket, 'Runtime.evaluate', { expression });
    return JSON.parse(result.value);
  } finally {
    socket.close();
  }
}

async function ask<Result>(socket: WebSocket, method: string, params: object): Promise<Result> {
  const answered = once(socket, 'message');
  socket.send(JSON.stringify({ id: 1, method, params }));
  const [{ data }] = await answered;
  const { result, error } = JSON.parse(data);
  if (error) throw new Error(`${method} failed: ${error.message}`);
  return result;
}
