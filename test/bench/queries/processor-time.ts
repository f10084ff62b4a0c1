import { readFileSync } from 'node:fs';

/** A hundred a second on every Linux that Node runs on. */
const msPerTick = 10;

/** What a process has had of processors since it started, all threads together; NaN where it cannot be told. */
export function readProcessorMs(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  // The second field is a name, which may have spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const [user, system] = fields.slice(11, 13);
  return (Number(user) + Number(system)) * msPerTick;
}
