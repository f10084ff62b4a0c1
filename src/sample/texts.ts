type Locale = 'en' | 'de' | 'fr' | 'ru';
type Translations = Readonly<Record<Locale, string>>;

export type View = keyof typeof VIEWS;
export type ProductName = keyof typeof PRODUCTS;

const VIEWS = {
  front: { caption: 'front', en: 'front view', de: 'Vorderansicht', fr: 'vue de face', ru: 'вид спереди' },
  side: { caption: 'side', en: 'side view', de: 'Seitenansicht', fr: 'vue de côté', ru: 'вид сбоку' },
  back: { caption: 'back', en: 'back view', de: 'Rückansicht', fr: 'vue de dos', ru: 'вид сзади' },
  top: { caption: 'top', en: 'seen from above', de: 'von oben', fr: 'vue de dessus', ru: 'вид сверху' },
  detail: { caption: 'detail', en: 'close-up', de: 'Nahaufnahme', fr: 'gros plan', ru: 'крупный план' },
  sole: { caption: 'sole', en: 'the sole', de: 'die Sohle', fr: 'la semelle', ru: 'подошва' },
  pair: { caption: 'pair', en: 'the pair', de: 'das Paar', fr: 'la paire', ru: 'пара' },
  lit: { caption: 'lit', en: 'switched on', de: 'eingeschaltet', fr: 'allumée', ru: 'включена' },
  open: { caption: 'open', en: 'open', de: 'geöffnet', fr: 'ouverte', ru: 'открыта' },
  cutout: { caption: 'cutout', en: 'without background', de: 'freigestellt', fr: 'détourée', ru: 'без фона' },
  spin: { caption: '360°', en: '360° view', de: '360°-Ansicht', fr: 'vue à 360°', ru: 'обзор 360°' },
  navy: {
    caption: 'navy',
    en: 'colour navy',
    de: 'Farbe Marineblau',
    fr: 'couleur marine',
    ru: 'тёмно-синий цвет',
  },
  green: { caption: 'green', en: 'colour green', de: 'Farbe Grün', fr: 'couleur verte', ru: 'зелёный цвет' },
  sand: { caption: 'sand', en: 'colour sand', de: 'Farbe Sand', fr: 'couleur sable', ru: 'песочный цвет' },
} satisfies Record<string, Translations & { caption: string }>;

const PRODUCTS = {
  sofa: { en: 'Sofa', de: 'Sofa', fr: 'Canapé', ru: 'Диван' },
  'trail-shoe': { en: 'Trail shoe', de: 'Trailschuh', fr: 'Chaussure de trail', ru: 'Кроссовок для трейла' },
  backpack: { en: 'Backpack', de: 'Rucksack', fr: 'Sac à dos', ru: 'Рюкзак' },
  mug: { en: 'Mug', de: 'Tasse', fr: 'Mug', ru: 'Кружка' },
  'desk-lamp': { en: 'Desk lamp', de: 'Schreibtischlampe', fr: 'Lampe de bureau', ru: 'Настольная лампа' },
  headphones: { en: 'Headphones', de: 'Kopfhörer', fr: 'Casque audio', ru: 'Наушники' },
  wristwatch: { en: 'Wristwatch', de: 'Armbanduhr', fr: 'Montre-bracelet', ru: 'Наручные часы' },
  't-shirt': { en: 'T-shirt', de: 'T-Shirt', fr: 'T-shirt', ru: 'Футболка' },
  'green-t-shirt': { en: 'Green T-shirt', de: 'Grünes T-Shirt', fr: 'T-shirt vert', ru: 'Зелёная футболка' },
  'gift-wrapping': {
    en: 'Gift wrapping',
    de: 'Geschenkverpackung',
    fr: 'Emballage cadeau',
    ru: 'Подарочная упаковка',
  },
  // An Austrian sits on a Sessel: asking for de-AT and for de gives two different texts.
  chair: { en: 'Chair', de: 'Stuhl', 'de-AT': 'Sessel', fr: 'Chaise', ru: 'Стул' },
  'water-bottle': { en: 'Water bottle', de: 'Trinkflasche', fr: 'Gourde', ru: 'Бутылка для воды' },
} satisfies Record<string, Translations & { 'de-AT'?: string }>;

/** What is written into the picture's corner, in English. */
export function captionOf(product: ProductName, view: View): { product: string; view: string } {
  return { product: PRODUCTS[product].en, view: VIEWS[view].caption };
}

/** The default text, in English. */
export function altTextOf(product: ProductName, view: View): string {
  return `${PRODUCTS[product].en}, ${VIEWS[view].en}`;
}

/** Further texts by BCP 47 language tag. */
export function altTextsOf(product: ProductName, view: View): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [locale, name] of Object.entries(PRODUCTS[product])) {
    if (locale === 'en') continue;
    const words: Record<string, string> = VIEWS[view];
    texts[locale] = `${name}, ${words[locale] ?? words[locale.split('-')[0] ?? '']}`;
  }
  return texts;
}
