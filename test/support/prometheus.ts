/** What a scrape tells: values by series, spelt as `name{label="value"}`. */
export type Figures = ReadonlyMap<string, number>;

export function parseFigures(text: string): Figures {
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map(line => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

export async function scrape(url: string): Promise<Figures> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return parseFigures(await response.text());
}

/** Names of metrics that a text declares, with their types. */
export function listMetrics(text: string): { name: string; type: string }[] {
  return [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => ({ name, type }));
}
