import type { PlanNode, RunPlan } from './plan-log.ts';

// What grows with the catalogue. The others have a few rows, whatever the number of images: counts by type and state,
// keys, bulk imports under way, products that somebody watches, files to be removed.
const growing = ['images', 'products', 'files'];

/** A page, of each of twenty kinds, or one product's images. */
const maxSorted = 1_250;
/** Read and thrown away, as it does not match. */
const maxInVain = 1_250;
/** Of one statement: what a thousand products have, eight images each. */
const maxRead = 8_000;

/** What in a plan gets dearer as the catalogue grows; none for a good one. */
export function findFaults({ text, root }: RunPlan): string[] {
  return [
    ...nodesOf(root).flatMap(node => [...faultsOfScan(node), ...faultsOfSort(node)]),
    ...faultsOfPages(text, root),
  ];
}

export function isOfPages({ text }: Pick<RunPlan, 'text'>): boolean {
  return text.includes('order by asked.place');
}

/** Rows of pages are in order since each page is read after the one before it, and nothing comes in between. */
function faultsOfPages(text: string, root: PlanNode): string[] {
  if (!isOfPages({ text })) return [];
  const [asked] = root.Plans ?? [];
  const isInOrder = root['Node Type'] === 'Nested Loop' && asked?.['Node Type'] === 'Function Scan';
  return isInOrder ? [] : [`${root['Node Type']} of pages`];
}

function faultsOfScan(node: PlanNode): string[] {
  if (!readsGrowing(node)) return [];
  const loops = node['Actual Loops'] ?? 1;
  const inVain =
    loops * ((node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0));
  const read = inVain + loops * (node['Actual Rows'] ?? 0);
  const what = `${node['Node Type']} of ${node['Relation Name']}`;
  return [
    ...(node['Node Type'] === 'Seq Scan' ? [what] : []),
    ...(inVain > maxInVain && !isOfGivenProducts(node)
      ? [`${what} reads ${Math.round(inVain)} rows in vain`]
      : []),
    ...(read > maxRead ? [`${what} reads ${Math.round(read)} rows`] : []),
  ];
}

/** What sorts only what the statement itself brought is as good as that is small. */
function faultsOfSort(node: PlanNode): string[] {
  const [input] = node.Plans ?? [];
  if (!node['Node Type'].includes('Sort') || !input) return [];
  const scans = nodesOf(input).filter(readsGrowing);
  const rows = input['Actual Rows'] ?? input['Plan Rows'];
  const max = scans.some(isOfGivenProducts) ? maxRead : maxSorted;
  return scans.length > 0 && rows > max ? [`${node['Node Type']} of ${Math.round(rows)} rows`] : [];
}

/** Of products that the request names: the rows do not grow with the catalogue, whatever becomes of them. */
function isOfGivenProducts(node: PlanNode): boolean {
  const condition = node['Index Cond'] ?? node.Plans?.[0]?.['Index Cond'] ?? '';
  return /product_id = ANY/.test(condition);
}

function readsGrowing(node: PlanNode): boolean {
  return growing.includes(node['Relation Name'] ?? '') && / Scan$/.test(node['Node Type']);
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
