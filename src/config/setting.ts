import { z } from 'zod';

/** A setting: its environment variable, what it must be, its default, and what it is for (the README's words). */
export interface Setting<Value> {
  name: string;
  schema: z.ZodType<Value, string>;
  initial: string;
  meaning: string;
  /** Its value is never shown. */
  isSecret?: boolean;
}

export function setting<Value>(
  name: string,
  schema: z.ZodType<Value, string>,
  initial: string | number,
  meaning: string,
): Setting<Value> {
  return { name, schema, initial: String(initial), meaning };
}

export function secret<Value>(...described: Parameters<typeof setting<Value>>): Setting<Value> {
  return { ...setting(...described), isSecret: true };
}

export const text = z.string();

export function integer(min: number, max: number) {
  const rule = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, rule)
    .transform(Number)
    .refine(value => value >= min && value <= max, rule);
}

export function oneOf<const Values extends readonly [string, ...string[]]>(...values: Values) {
  return z.enum(values, `must be ${values.join(' or ')}`) as z.ZodType<Values[number], string>;
}

export function url(protocols: readonly string[]) {
  const isOne = (value: string) =>
    value === '' || protocols.includes(URL.parse(value)?.protocol.slice(0, -1) ?? '');
  return text.refine(isOne, `must be a URL with ${protocols.join(' or ')}`);
}

/** What addresses begin with: a path may follow it. */
export const baseUrl = url(['http', 'https']).refine(
  value => !/[?#]/.test(value) && !URL.parse(value)?.username,
  'must have no query, no fragment and no user',
);

export const host = text.regex(/^[\da-z.:-]+$/i, 'must be an address or a name of this machine');

const yes = new Set(['on', 'true', '1', 'yes']);
const no = new Set(['off', 'false', '0', 'no']);
export const onOff = text
  .refine(value => yes.has(value) || no.has(value), 'must be on or off')
  .transform(value => yes.has(value));
export const ports = text
  .transform(value => value.split(',').map(Number))
  .refine(
    list => list.every(port => Number.isInteger(port) && port > 0 && port < 65_536),
    'must be ports, parted by commas',
  );
/** Null where it is left to the service. */
export function optionalInteger(min: number, max: number) {
  const isWithin = (value: string) =>
    /^\d{1,15}$/.test(value) && Number(value) >= min && Number(value) <= max;
  return text
    .refine(value => value === '' || isWithin(value), `must be a whole number from ${min} to ${max}`)
    .transform(value => (value === '' ? null : Number(value)));
}

/** Null where there is none; 0 takes a free one. */
export const optionalPort = text
  .refine(value => /^\d{0,5}$/.test(value) && Number(value) < 65_536, 'must be a port, from 0 to 65535')
  .transform(value => (value === '' ? null : Number(value)));
export const origins = text
  .transform(value =>
    value
      .split(',')
      .map(origin => origin.trim())
      .filter(Boolean),
  )
  .refine(
    list => list.every(origin => origin === '*' || URL.parse(origin)?.origin === origin),
    'must be origins such as https://shop.example, parted by commas, or *',
  );

export const storage = text.refine(
  value => value === 'disk' || URL.parse(value)?.protocol === 's3:',
  'must be disk or s3://bucket/prefix?endpoint=…&region=…',
);

export const cache = text.refine(
  value => value === 'off' || storage.safeParse(value).success,
  'must be disk, off, or s3://bucket/prefix?endpoint=…&region=…',
);

/** As long as its hash: https://www.rfc-editor.org/rfc/rfc7518#section-3.2 */
export const jwtSecret = text.refine(
  value => value === '' || Buffer.byteLength(value) >= 32,
  'must have at least 32 bytes',
);

/** As `1280x1280`. */
export const size = text
  .regex(/^[1-9]\d{0,4}x[1-9]\d{0,4}$/, 'must be width and height in pixels, such as 1280x1280')
  .transform(value => {
    const [width = 0, height = 0] = value.split('x').map(Number);
    return { width, height };
  });

const signingKeyRule =
  'must be keys such as main:secret, parted by commas: ids of at most 16 of a-z and 0-9, secrets of at least 32 visible ASCII characters without a comma, none of them twice';
const signingKeyList = /^[a-z0-9]{1,16}:[!-+\--~]{32,}(,[a-z0-9]{1,16}:[!-+\--~]{32,})*$/;

/** The first signs, all verify. */
export const signingKeys = text
  .refine(value => value === '' || signingKeyList.test(value), signingKeyRule)
  .transform(value => value.split(',').filter(Boolean).map(parseSigningKey))
  .refine(keys => hasNoneTwice(keys.map(({ id }) => id)), signingKeyRule)
  .refine(keys => hasNoneTwice(keys.map(({ secret }) => secret)), signingKeyRule);

function parseSigningKey(key: string): { id: string; secret: string } {
  const colon = key.indexOf(':');
  return { id: key.slice(0, colon), secret: key.slice(colon + 1) };
}

function hasNoneTwice(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
