import { GraphQLError, GraphQLID } from 'graphql';
import { formatTime } from '../data/time-text.ts';
import { describeValue } from '../errors.ts';
import { builder } from './builder.ts';
import { UploadedFile } from './uploaded-file.ts';

// Pothos has GraphQL's own ID in every schema, and takes no other. A number beyond 2^53 was rounded when the JSON of the
// variables was read, perhaps to the id of another product; in a document it stands as text, and is whole.
const parseId = GraphQLID.parseValue;
GraphQLID.parseValue = value => {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return parseId(value);
  throw new GraphQLError(
    `ID is ${value}; a number must be an integer below 2^53, as JSON readers round others; write it as text`,
  );
};

builder.scalarType('DateTime', {
  description: 'RFC 3339 timestamp in UTC, e.g. 2024-10-17T07:48:05.000Z.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time',
  serialize: value => formatTime(value),
  parseValue: value => {
    const date = typeof value === 'string' ? new Date(value) : null;
    if (!date || Number.isNaN(date.getTime())) {
      throw new GraphQLError(`DateTime is ${describeValue(value)}; it must be like 2024-10-17T07:48:05.000Z`);
    }
    return date;
  },
});

// What a URL or a locale must look like is told in userErrors, with its path and together with all else that is
// wrong; here only what is no text at all is refused.
builder.scalarType('URL', {
  description: 'Absolute http or https URL, at most 2,048 characters.',
  specifiedByURL: 'https://url.spec.whatwg.org/',
  serialize: value => value,
  parseValue: value => expectText('URL', value, 'https://example.com/sofa.jpg'),
});

builder.scalarType('Locale', {
  description: 'BCP 47 language tag, e.g. de or pt-BR.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc5646',
  serialize: value => value,
  parseValue: value => expectText('Locale', value, 'pt-BR'),
});

function expectText(scalar: string, value: unknown, example: string): string {
  if (typeof value === 'string') return value;
  throw new GraphQLError(`${scalar} is ${describeValue(value)}; it must be a string such as "${example}"`);
}

builder.scalarType('File', {
  description: 'A file in a GraphQL multipart request.',
  specifiedByURL: 'https://github.com/jaydenseric/graphql-multipart-request-spec',
  serialize: () => {
    throw new GraphQLError('File is for inputs only');
  },
  parseValue: value => {
    if (value instanceof UploadedFile) return value;
    throw new GraphQLError('File is not a file; send it in a part of a multipart request');
  },
});
