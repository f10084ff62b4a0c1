/** Values of a label are kept for ever, so there must not be many, whatever they come from. */
export function createLabel(maxValues: number): (value: string) => string {
  const known = new Set<string>();
  return value => {
    if (known.has(value)) return value;
    if (known.size >= maxValues || !/^\w{1,60}$/.test(value)) return 'other';
    known.add(value);
    return value;
  };
}
