import type { SourceInput } from '../gallery/source.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import type { UploadedFile } from './uploaded-file.ts';

export const ImageSourceInput = builder.inputType('ImageSourceInput', {
  description: 'Where an image comes from. Exactly one.',
  isOneOf: true,
  fields: t => ({
    url: t.field({
      type: 'URL',
      description: 'Absolute http or https URL to fetch it from, in the background.',
    }),
    file: t.field({ type: 'File', description: 'A file that comes with the request; ready at once.' }),
    path: t.string({
      description: 'Path of a file that lies in the import directory, relative to it; ready at once.',
    }),
  }),
});

export const LocalizedTextInput = builder.inputType('LocalizedTextInput', {
  description: 'A text in a language.',
  fields: t => ({
    locale: t.field({ type: 'Locale', required: true, description: 'The language.' }),
    text: t.string({ required: true, description: 'The text in that language.' }),
  }),
});

export const FocalPointInput = builder.inputType('FocalPointInput', {
  description: 'The spot that cropping keeps in the picture. Fractions from the top left, 0 to 1.',
  fields: t => ({
    x: t.float({ required: true, description: 'From the left edge, 0 to 1.' }),
    y: t.float({ required: true, description: 'From the top edge, 0 to 1.' }),
  }),
});

/** A source as GraphQL brings it. */
interface GivenSource {
  url?: string | null;
  file?: UploadedFile | null;
  path?: string | null;
}

/** The source as the gallery takes it: files are read, measured and stored; what is wrong with them is noted. */
export async function takeSource(source: GivenSource, { intake }: Context): Promise<SourceInput> {
  if (source.file) return intake.takeUpload(source.file);
  if (source.path != null) return intake.takePath(source.path);
  return { url: source.url };
}

/** As `takeSourceOf`, of all at once; what is but named by its address waits for nothing. */
export async function takeSourcesOf<Input extends { source?: GivenSource | null }>(
  inputs: readonly Input[],
  context: Context,
): Promise<(Omit<Input, 'source'> & { source?: SourceInput | null })[]> {
  const isTaken = ({ source }: Input) => !source?.file && source?.path == null;
  return inputs.every(isTaken) ? [...inputs] : Promise.all(inputs.map(input => takeSourceOf(input, context)));
}

/** An input with its source taken in, if it has one. */
export async function takeSourceOf<Input extends { source?: GivenSource | null }>(
  input: Input,
  context: Context,
): Promise<Omit<Input, 'source'> & { source?: SourceInput | null }> {
  const { source, ...others } = input;
  return source ? { ...others, source: await takeSource(source, context) } : { ...others, source };
}
