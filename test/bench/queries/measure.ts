import type { ChildProcess } from 'node:child_process';
import { exchange } from '../processes.ts';
import type { Load, Measured } from './connections.ts';
import type { ContenderName } from './contenders.ts';
import type { OperationName } from './operations.ts';
import type { Options } from './options.ts';
import { readProcessorMs } from './processor-time.ts';
import type { PreparedContender } from './requests.ts';

const connections = 16;

export interface Figures extends Measured {
  /** Of processors, by the server alone, for each answer. */
  serverMs: number;
}

/** By contender, the figures of each round. */
export type Rounds = Map<ContenderName, Figures[]>;

/** One contender after the other, in as many rounds and one before, which warms all up. */
export async function measureOperation(
  generator: ChildProcess,
  contenders: readonly PreparedContender[],
  operation: OperationName,
  { rounds, seconds, warmUpSeconds }: Pick<Options, 'rounds' | 'seconds' | 'warmUpSeconds'>,
): Promise<Rounds> {
  const measured: Rounds = new Map(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const contender of turn(contenders, round)) {
      const { name, title, port, pid, dialect, variables } = contender;
      const query = dialect.documents[operation];
      const bodies = variables[operation].map(each => JSON.stringify({ query, variables: each }));
      const start = round * stride;
      const load = {
        port,
        path: dialect.path(operation),
        bodies,
        start,
        connections,
        seconds: round > 0 ? seconds : warmUpSeconds,
      };
      const busyBefore = readProcessorMs(pid);
      const figures = await runLoad(generator, load).catch(error => {
        throw new Error(`${title}, ${operation}: ${error.message}`);
      });
      const serverMs = (readProcessorMs(pid) - busyBefore) / figures.answers;
      if (round > 0) measured.get(name)?.push({ ...figures, serverMs });
    }
  }
  return measured;
}

/** So that rounds begin at different places of the samples, and each contender's at the same. */
const stride = 3_001;

/** Each is the first in its turn. */
function turn<Item>(items: readonly Item[], by: number): Item[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

/** What the generator gets from a server that answers everything with {}. */
export async function measureGenerator(generator: ChildProcess, port: number): Promise<Measured> {
  const load = { port, path: '/nothing', bodies: ['{}'], start: 0, connections, seconds: 1 };
  await runLoad(generator, load);
  return runLoad(generator, load);
}

async function runLoad(generator: ChildProcess, load: Load): Promise<Measured> {
  const { measured, error } = (await exchange(generator, load)) as { measured: Measured; error?: string };
  if (error !== undefined) throw new Error(error);
  return measured;
}
