import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
    {
      // In place of babel-plugin-relay: what the Relay compiler made of a document takes its place.
      name: 'relay-artifacts',
      enforce: 'pre',
      transform(code, id) {
        if (!id.includes('/clients/relay/')) return null;
        const imports: string[] = [];
        const body = code.replaceAll(/graphql`\s*\w+ (\w+)[^`]*`/g, (_document, name) => {
          imports.push(`import ${name} from './__generated__/${name}.graphql.ts';`);
          return name;
        });
        return { code: [...imports, body].join('\n'), map: null };
      },
    },
    {
      // The service and the gateways each have their own graphql; each is to be loaded once, as CommonJS.
      name: 'nearest-graphql',
      enforce: 'pre',
      resolveId: (source, importer) =>
        source === 'graphql' && importer ? createRequire(importer).resolve('graphql') : null,
    },
  ],
  test: {
    root: import.meta.dirname,
    globalSetup: ['../support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
