import { expect, test } from 'vitest';
import { environmentOfDecoder } from '../../src/imaging/decoder-environment.ts';

const runtime = { MALLOC_ARENA_MAX: '2', NODE_OPTIONS: '--max-old-space-size=500', UV_THREADPOOL_SIZE: '6' };
const keysOfS3 = {
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'key',
  AWS_PROFILE: 'shop',
  HOME: '/home/shop',
};
const others = {
  ...{ JWT_SECRET: 's', SIGNING_KEYS: 's', DATABASE_URL: 's', STORE_PASSWORD: 's', HTTPS_PROXY: 's' },
  ...{ NODE_AUTH_TOKEN: 's', OTEL_EXPORTER_OTLP_HEADERS: 's', NOT_AWS_SECRET: 's', PGPASSWORD: 's' },
};
const all = { ...runtime, ...keysOfS3, ...others, VIPS_CONCURRENCY: undefined };

test('a decoder that reads from disk gets what its runtime goes by', () => {
  expect(environmentOfDecoder(all, 'disk')).toEqual(runtime);
});

test('one that reads from S3 also gets the keys of that', () => {
  expect(environmentOfDecoder(all, 's3://images/files')).toEqual({ ...runtime, ...keysOfS3 });
});
