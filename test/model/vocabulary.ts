/** How much the products of these tests may hold: little, so that limits are met often. */
export interface Limits {
  GALLERY: number;
  SPIN_360: number;
  SWATCH: number;
  ids: number;
  text: number;
  description: number;
  url: number;
  name: number;
}

/** The settings that give a service these limits, and leave importing and purging to the test. */
export function settingsOf(limits: Limits): Record<string, string> {
  return {
    MAX_GALLERY_IMAGES: String(limits.GALLERY),
    MAX_360_FRAMES: String(limits.SPIN_360),
    MAX_SWATCHES: String(limits.SWATCH),
    MAX_IDS_IN_MUTATION: String(limits.ids),
    MAX_TEXT_LENGTH: String(limits.text),
    MAX_DESCRIPTION_LENGTH: String(limits.description),
    MAX_URL_LENGTH: String(limits.url),
    MAX_NAME_LENGTH: String(limits.name),
    PURGE_INTERVAL_SECONDS: '86400',
    IMPORTING: 'off',
  };
}

export const pictures = [...'abcdefgh'];

/** Each line is one address, spelled in several ways. */
const spellings = [
  (picture: string) => `https://example.com/${picture}.jpg`,
  (picture: string) => `HTTPS://EXAMPLE.com:443/${picture}.jpg`,
  (picture: string) => `https://example.com/up/../${picture}.jpg`,
];

export function spellUrl(picture: string, spelling: number): string {
  return (spellings[spelling] ?? spellings[0])?.(picture) ?? '';
}

const pictureOfUrl = new Map(
  pictures.flatMap(picture => spellings.map((_, spelling) => [spellUrl(picture, spelling), picture])),
);

/** Which picture an address is of; null for what is no address. */
export function pictureOf(url: string): string | null {
  return pictureOfUrl.get(url) ?? null;
}

export const badUrls = [
  '',
  'a.jpg',
  'ftp://example.com/a.jpg',
  'https://',
  'https://example.com/a\n.jpg',
  `https://example.com/${'l'.repeat(100)}`,
];

export const goodTexts = ['', 'sofa', 'Sofa, grün', '𝒮'.repeat(10)];
export const badTexts = ['𝒮'.repeat(11), 'nul\0', '\ud83d'];

/** The standard spelling of a language tag; null where it is none. */
export const locales: Record<string, string | null> = {
  de: 'de',
  DE: 'de',
  'de-at': 'de-AT',
  'pt-BR': 'pt-BR',
  x_y: null,
  '': null,
};

export const badIds = ['', 'x', '0', '007', '-1', '1.5', '9223372036854775808'];
/** Of images and products that never are. */
export const strangeId = '9223372036854775807';

export function isId(text: string): boolean {
  return /^[1-9]\d*$/.test(text) && BigInt(text) < 2n ** 63n;
}
