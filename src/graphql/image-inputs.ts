import { builder } from './builder.ts';

export const ImageSourceInput = builder.inputType('ImageSourceInput', {
  description: 'Where an image comes from. Exactly one.',
  isOneOf: true,
  fields: t => ({
    url: t.field({ type: 'URL', description: 'Absolute http or https URL to fetch it from.' }),
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
