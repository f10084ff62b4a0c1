import { median } from '../table.ts';
import type { Contender } from './contenders.ts';
import type { Rounds } from './measure.ts';
import { type OperationName, operationTitles } from './operations.ts';

const width = 760;
const labelWidth = 320;
const barHeight = 22;
const gap = 10;
const top = 48;

/** Bars as long as answers a second are many, the most first; whiskers from the worst round to the best. */
export function plotOperation(
  operation: OperationName,
  contenders: readonly Contender[],
  rounds: Rounds,
): string {
  const bars = contenders
    .map(({ name, title }) => {
      const rates = (rounds.get(name) ?? []).map(({ perSecond }) => perSecond);
      const isOwn = name.startsWith('packshot');
      return { title, isOwn, rate: median(rates), least: Math.min(...rates), most: Math.max(...rates) };
    })
    .sort((one, other) => other.rate - one.rate);
  const scale = (width - labelWidth - 80) / Math.max(...bars.map(({ most }) => most));
  const height = top + bars.length * (barHeight + gap) + gap;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">
  <rect width="${width}" height="${height}" fill="#fff"/>
  <text x="16" y="28" font-size="16">${operationTitles[operation]}: answers a second</text>
${bars.map((bar, index) => plotBar(bar, top + index * (barHeight + gap), scale)).join('\n')}
</svg>
`;
}

interface Bar {
  title: string;
  isOwn: boolean;
  rate: number;
  least: number;
  most: number;
}

function plotBar({ title, isOwn, rate, least, most }: Bar, y: number, scale: number): string {
  const middle = y + barHeight / 2;
  const at = (value: number) => (labelWidth + value * scale).toFixed(1);
  return [
    `  <text x="${labelWidth - 8}" y="${middle + 5}" text-anchor="end">${title}</text>`,
    `  <rect x="${labelWidth}" y="${y}" width="${(rate * scale).toFixed(1)}" height="${barHeight}" fill="${isOwn ? '#c2410c' : '#94a3b8'}"/>`,
    `  <line x1="${at(least)}" x2="${at(most)}" y1="${middle}" y2="${middle}" stroke="#1e293b"/>`,
    `  <text x="${Number(at(most)) + 8}" y="${middle + 5}">${rate.toFixed(0)}</text>`,
  ].join('\n');
}
