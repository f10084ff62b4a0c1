import { type Transform, transformOptions } from '../rendering/recipe.ts';
import { builder } from './builder.ts';

const { fit, format } = transformOptions;

export const ImageFit = builder.enumType('ImageFit', {
  description: fit.description,
  values: describeValues(fit.choices),
});

export const ImageFormat = builder.enumType('ImageFormat', {
  description: format.description,
  values: describeValues(format.choices),
});

function describeValues<Name extends string>(choices: Record<Name, string>) {
  const described = Object.entries<string>(choices).map(([name, description]) => [name, { description }]);
  return Object.fromEntries(described) as Record<Name, { description: string }>;
}

function describeOption(option: (typeof transformOptions)[keyof Transform]): string {
  if ('choices' in option) return option.description;
  const { description, min, max } = option;
  return `${description} From ${min} to ${max === 'maxSide' ? '4,096 unless set otherwise' : max}.`;
}

const types = { Int: 'Int', Float: 'Float', ImageFit, ImageFormat } as const;

export const ImageTransformInput = builder.inputRef<Transform>('ImageTransformInput').implement({
  description: 'How a picture is sized and encoded. It never gets larger than its original.',
  fields: t =>
    Object.fromEntries(
      Object.entries(transformOptions).map(([name, option]) => [
        name,
        t.field({
          type: types[option.type],
          description: describeOption(option),
          defaultValue: option.initial ?? undefined,
        }),
      ]),
    ),
});
