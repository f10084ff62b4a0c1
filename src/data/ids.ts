const maxId = 2n ** 63n - 1n;

/** What an id looks like, for messages. */
export const idRule = `a decimal integer from 1 to ${maxId}`;

/** Ids have one spelling, so that gateways can compare them as text: no sign, no leading zero. */
export function isId(text: string): boolean {
  return /^[1-9][0-9]{0,18}$/.test(text) && (text.length < 19 || BigInt(text) <= maxId);
}
