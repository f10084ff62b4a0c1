import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { GraphiQLOptions } from 'graphql-yoga';

export interface Page {
  html: Buffer;
  gzipped: Buffer;
}

/**
 * GraphiQL with everything in one page, so that it works without internet. It has 9 MB: it is loaded when somebody
 * first asks for it, and compressed once.
 */
export function createGraphiQL(
  endpoint: string,
  defaultTabs: GraphiQLOptions['defaultTabs'],
): () => Promise<Page> {
  let page: Promise<Page> | undefined;
  return () => {
    page ??= renderPage(endpoint, defaultTabs);
    return page;
  };
}

async function renderPage(endpoint: string, defaultTabs: GraphiQLOptions['defaultTabs']): Promise<Page> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const html = Buffer.from(String(renderGraphiQL({ endpoint, title: 'Packshot', defaultTabs })));
  return { html, gzipped: await promisify(gzip)(html) };
}
