/** For errors: short, and without going into what is nested: a hostile client's values are deeper than the stack. */
export function describeValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return JSON.stringify(typeof value === 'string' ? value.slice(0, 100) : value);
}
