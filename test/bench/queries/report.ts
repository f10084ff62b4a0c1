import { formatRatios, formatTable, median } from '../table.ts';
import type { Contender, ContenderName } from './contenders.ts';
import type { Figures, Rounds } from './measure.ts';
import { type OperationName, operationTitles } from './operations.ts';

/** What Packshot's answers a second are to be of each one's, at least. */
const goals: Partial<Record<ContenderName, number>> = { 'node-http': 0.95, mercurius: 1.3, postgraphile: 3 };

/** What is to be of Packshot's answers a second, at least. */
const ownGoals: Partial<Record<ContenderName, number>> = { 'packshot-addresses': 0.8 };

/** Of an operation: everybody's figures, and how Packshot does beside them. */
export function formatOperation(
  operation: OperationName,
  contenders: readonly Contender[],
  rounds: Rounds,
): string {
  const head = [
    operationTitles[operation],
    'a second',
    'p50',
    'p99',
    'CPU of the server',
    'Packshot ÷ it (of all rounds)',
    'Goal',
    '',
  ];
  const own = rounds.get('packshot') ?? [];
  return formatTable(
    head,
    contenders.map(({ name, title }) => {
      const measured = rounds.get(name) ?? [];
      return [title, ...formatFigures(measured), ...formatComparison(name, own, measured)];
    }),
  );
}

function formatFigures(measured: readonly Figures[]): string[] {
  const medianOf = (read: (figures: Figures) => number) => median(measured.map(read));
  return [
    medianOf(({ perSecond }) => perSecond).toFixed(0),
    `${medianOf(({ p50Ms }) => p50Ms).toFixed(1)} ms`,
    `${medianOf(({ p99Ms }) => p99Ms).toFixed(1)} ms`,
    formatServerTime(medianOf(({ serverMs }) => serverMs)),
  ];
}

function formatServerTime(ms: number): string {
  return Number.isNaN(ms) ? '' : `${(ms * 1_000).toFixed(0)} µs`;
}

/** Other versions of Packshot are what is compared with it, the other way round. */
function formatComparison(name: ContenderName, own: readonly Figures[], other: readonly Figures[]): string[] {
  if (name === 'packshot') return ['', '', ''];
  const ratios = own.map(({ perSecond }, round) => perSecond / (other[round]?.perSecond ?? Number.NaN));
  if (!name.startsWith('packshot')) return formatGoal(ratios, goals[name]);
  const reversed = ratios.map(ratio => 1 / ratio);
  const [text = '', ...goal] = formatGoal(reversed, ownGoals[name]);
  return [`it ÷ Packshot: ${text}`, ...goal];
}

function formatGoal(ratios: readonly number[], goal: number | undefined): string[] {
  if (goal === undefined) return [formatRatios(ratios), '', ''];
  const reached = median(ratios) / goal;
  const verdict = reached >= 1 ? 'met' : `missed by ${Math.ceil((1 - reached) * 100)} %`;
  return [formatRatios(ratios), `≥ ${goal}`, verdict];
}

/** How busy the load generator was at most, of one processor. */
export function findGeneratorShare(all: readonly Rounds[]): number {
  const figures = all.flatMap(rounds => [...rounds.values()].flat());
  return Math.max(...figures.map(({ generatorShare }) => generatorShare));
}
