import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

const speedTests = 'test/**/*.speed.test.ts';

export default defineConfig({
  resolve: {
    // Without it vitest loads graphql twice, once as ESM and once as CommonJS, and its instanceof checks fail.
    alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql/index.js')) }],
  },
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    sequence: { sequencer: LongestFirst },
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // How soon a thing comes about is a promise only where a test says so.
    expect: { poll: { timeout: 10_000 } },
    // Most facts wait for a process, a database or a clock, so that two more than vitest's own guess keep two cores busy.
    maxWorkers: 3,
    // Some facts are about time, and a shared machine may stand still for seconds.
    retry: process.env.CI ? 1 : 0,
    // Else a picture that is not as expected fills the log with its bytes.
    diff: { truncateThreshold: 100 },
    projects: [
      {
        extends: true,
        test: {
          name: 'facts',
          include: ['test/**/*.test.ts'],
          exclude: [speedTests, 'test/gateways/**', '**/node_modules/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // What measures wants the machine for itself: after the others, one file at a time.
        extends: true,
        test: { name: 'speed', include: [speedTests], fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
