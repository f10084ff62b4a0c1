/** One line of the result: a ratio of each round. */
export interface Row {
  work: string;
  against: string;
  /** Of the whole service, and of what it is compared with. */
  own: string;
  other: string;
  ratios: number[];
  goal: string;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}

/** In Markdown; the ratio is the median of the rounds, with the least and the most of them. */
export function formatTable(rows: readonly Row[]): string {
  const lines = rows.map(({ work, own, against, other, ratios, goal }) => {
    const range = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
    return `| ${work} | ${own} | ${against} | ${other} | ${median(ratios).toFixed(2)} (${range}) | ${goal} |`;
  });
  const head =
    '| Work | Packshot | Against | | Ratio (of all rounds) | Goal |\n| --- | --- | --- | --- | --- | --- |';
  return `${head}\n${lines.join('\n')}`;
}
