import SchemaBuilder from '@pothos/core';
import type { Context } from './context.ts';
import type { UploadedFile } from './uploaded-file.ts';

export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    URL: { Input: string; Output: string };
    Locale: { Input: string; Output: string };
    File: { Input: UploadedFile; Output: never };
    _Any: { Input: unknown; Output: never };
  };
}>({ defaultFieldNullability: false });

builder.queryType({ description: 'What can be read. What is not there is null or empty, never an error.' });
builder.subscriptionType({ description: 'What can be followed, as a stream of server-sent events.' });
builder.mutationType({
  description:
    'What can be changed. A mutation does all that it says or nothing: where `userErrors` is not empty, nothing was changed.',
});
