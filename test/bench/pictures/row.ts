import { formatRatios, formatTable } from '../table.ts';

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

export function formatRows(rows: readonly Row[]): string {
  return formatTable(
    ['Work', 'Packshot', 'Against', '', 'Ratio (of all rounds)', 'Goal'],
    rows.map(({ work, own, against, other, ratios, goal }) => [
      work,
      own,
      against,
      other,
      formatRatios(ratios),
      goal,
    ]),
  );
}
