/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Html | readonly Html[] | null | undefined;

/** HTML with values in it, each escaped unless it is HTML itself; null and undefined are nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  const texts = parts.map((part, index) => part + formatValue(values[index]));
  return new Html(texts.join(''));
}

function formatValue(value: Value): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(({ text }) => text).join('');
  return String(value ?? '').replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}
