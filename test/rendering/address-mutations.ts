/** Chosen at random: `at` and `by` say where and how, `other` is another valid path. */
export interface Dice {
  at: number;
  by: number;
  other: string;
}

type Mutate = (path: string, dice: Dice) => string;

const lookAlikes: Record<string, string> = {
  a: 'а',
  c: 'с',
  e: 'е',
  i: 'і',
  o: 'о',
  p: 'р',
  x: 'х',
  g: 'ｇ',
  m: 'ｍ',
  '/': '／',
  '.': '．',
  '-': '‐',
  '0': '０',
  '1': '１',
  '5': '５',
  s: 'ſ',
  k: 'K',
};
const base64url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const extras = [
  '/',
  '.',
  '%',
  '=',
  '+',
  '-',
  '_',
  '0',
  'a',
  'A',
  ' ',
  '\n',
  '\0',
  '?',
  '#',
  ';',
  '\\',
  '\u200b',
  'é',
];

const pick = <Value>(values: readonly Value[], by: number) => values[by % values.length] as Value;
const place = (path: string, at: number) => at % path.length;
const put = (path: string, at: number, text: string, length = 1) =>
  path.slice(0, at) + text + path.slice(at + length);
/** The n-th match of a pattern changed; the path as it is where there is none. */
function change(path: string, pattern: RegExp, n: number, to: (match: string) => string): string {
  const matches = [...path.matchAll(pattern)];
  if (matches.length === 0) return path;
  const match = pick(matches, n);
  return put(path, match.index, to(match[0]), match[0].length);
}

/** What people and programs do to addresses, by accident or not. */
export const mutations: Record<string, Mutate> = {
  'a bit flipped': (path, { at, by }) => {
    const index = place(path, at);
    return put(path, index, String.fromCharCode(path.charCodeAt(index) ^ (1 << (by % 8))));
  },
  'two characters swapped': (path, { at, by }) => {
    const [one, other] = [place(path, at), place(path, by)];
    return put(put(path, one, path.charAt(other)), other, path.charAt(one));
  },
  'characters left out': (path, { at, by }) => put(path, place(path, at), '', 1 + (by % 3)),
  'the end left out': (path, { at }) => path.slice(0, place(path, at)),
  'a character put in': (path, { at, by }) => put(path, at % (path.length + 1), pick(extras, by), 0),
  'a character doubled': (path, { at }) => put(path, place(path, at), path.charAt(place(path, at)), 0),
  'a letter in the other case': (path, { at }) =>
    change(path, /[a-z]/gi, at, letter =>
      /[a-z]/.test(letter) ? letter.toUpperCase() : letter.toLowerCase(),
    ),
  'all in capitals': path => path.toUpperCase(),
  'all in small letters': path => path.toLowerCase(),
  'a character percent-encoded': (path, { at }) => {
    const index = place(path, at);
    return put(path, index, `%${path.charCodeAt(index).toString(16)}`);
  },
  'percent-encoding undone, or done twice': (path, { by }) =>
    by % 2 ? decodeURIComponent(path) : path.replaceAll('%', '%25'),
  'percent-encoding in the other case': (path, { at }) =>
    change(path, /%[0-9A-F]{2}/g, at, code => code.toLowerCase()),
  'another key': (path, { by }) =>
    change(path, /(?<=^\/images\/)[^.]+/g, 0, () => pick(['old', 'gone', 'k', ''], by)),
  'another extension': (path, { at, by }) =>
    change(path, /\.(jpg|png|webp|gif|avif)/g, at, () =>
      pick(['.jpg', '.png', '.webp', '.gif', '.avif', '.jpeg', '.svg', ''], by),
    ),
  'spliced from two': (path, { at, other }) => path.slice(0, place(path, at)) + other.slice(place(path, at)),
  'the signature of another': (path, { other }) => {
    const [, , signature = ''] = other.split('/');
    return change(path, /(?<=^\/images\/)[^/]+/g, 0, () => signature);
  },
  'a part of another': (path, { at, other }) => {
    const [parts, others] = [path.split('/'), other.split('/')];
    const index = 3 + (at % Math.max(parts.length - 3, 1));
    return parts.with(index, others[index] ?? others[3] ?? '').join('/');
  },
  'a part left out': (path, { at }) => {
    const parts = path.split('/');
    return parts.toSpliced(1 + (at % (parts.length - 1)), 1).join('/');
  },
  'a part added': (path, { other }) => `${path}/${other.split('/').at(-1)}`,
  'a slash doubled': (path, { at }) => change(path, /\//g, at, () => '//'),
  'a slash in front or behind': (path, { by }) => pick([`/${path}`, `${path}/`, path.slice(1)], by),
  'dots in the way': (path, { at, by }) =>
    change(path, /\//g, at, () => pick(['/./', '/../images/', '/x/../', '/%2e/', '\\'], by)),
  'a look-alike': (path, { at }) =>
    change(
      path,
      new RegExp(`[${Object.keys(lookAlikes).join('').replace('-', '')}-]`, 'g'),
      at,
      character => lookAlikes[character] ?? 'x',
    ),
  'the last character of the signature': (path, { by }) =>
    change(path, /[\w-](?=\/[0-9a-f]{64})/g, 0, () => pick([...base64url], by)),
  'padding behind the signature': (path, { by }) =>
    change(path, /(?<=\.[\w-]{22})\//g, 0, () => pick(['=/', '==/', '%3D/', 'A/', 'AA/', './'], by)),
  'the other base64 alphabet': (path, { at }) =>
    change(path, /(?<=^\/images\/[^/]*)[-_]/g, at, character => (character === '-' ? '+' : '/')),
  'a number changed': (path, { at, by }) =>
    change(path, /\d+/g, at, digits =>
      pick([String(Number(digits) + 1), `0${digits}`, `${digits}0`, `+${digits}`], by),
    ),
  'an option put in': (path, { by }) =>
    change(path, /(?=\.[a-z]+$)/g, 0, () => pick(['-auto', '-q100', '-cover-0-0', '-fill', '@2x'], by)),
  'a query or fragment': (path, { by }) => path + pick(['?', '?c=1', '#', ';v=2', '&w=9'], by),
  'space around': (path, { by }) =>
    pick([` ${path}`, `${path} `, `${path}\n`, `${path}\r\n`, `${path}%00`], by),
};
