import type { IncomingMessage, ServerResponse } from 'node:http';
import { serveToParent } from '../../serve-to-parent.ts';
import { formatCursor, type Image, openStore } from './store.ts';

// Nothing between the request and the database but Node: what a server by hand for just these questions would be.

const [databaseUrl = ''] = process.argv.slice(2);
const store = openStore(databaseUrl);

interface Variables {
  id: string;
  after: string;
  ids: string[];
}

/** By path. The document that the others read comes with the request, and is passed over. */
const answers: Record<string, (variables: Variables) => Promise<string>> = {
  '/image': async ({ id }) => {
    const image = await store.findImage(id);
    return `{"productImage":${image ? formatImage(image) : null}}`;
  },
  '/page': async ({ after }) => {
    const images = await store.listImages(10, after);
    const page = images.slice(0, 10);
    return `{"productImages":{"nodes":[${page.map(formatImage)}],"pageInfo":{"hasNextPage":${images.length > 10},"endCursor":${formatEnd(page)}}}}`;
  },
  '/galleries': async ({ ids }) => {
    const galleries = await store.findGalleries(ids, 5);
    const products = galleries.map(
      (images, index) => `{"id":"${ids[index]}","images":{"nodes":[${images.map(formatImage)}]}}`,
    );
    return `{"productsByIds":[${products}]}`;
  },
  '/cursors': async ({ ids }) => {
    const galleries = await store.findGalleries(ids, 1);
    const products = galleries.map(images => `{"images":{"pageInfo":{"endCursor":${formatEnd(images)}}}}`);
    return `{"productsByIds":[${products}]}`;
  },
};

function formatImage(image: Image): string {
  return `{"id":"${image.id}","productId":"${image.productId}","name":${JSON.stringify(image.name)},"type":"${image.type}","position":${image.position},"altText":${JSON.stringify(image.altText)},"description":${JSON.stringify(image.description)},"width":${image.width},"height":${image.height},"createdAt":"${image.createdAt.toISOString()}"}`;
}

function formatEnd(images: readonly Image[]): string | null {
  const last = images.at(-1);
  return last ? `"${formatCursor(last)}"` : null;
}

serveToParent((request, response) => {
  if (request.url === '/nothing') return send(response, 200, '{}');
  let body = '';
  request.setEncoding('utf8').on('data', chunk => {
    body += chunk;
  });
  request.on('end', () => {
    answer(request, body).then(
      data => send(response, 200, `{"data":${data}}`),
      error => send(response, 500, JSON.stringify({ errors: [{ message: String(error) }] })),
    );
  });
});

function answer({ url = '' }: IncomingMessage, body: string): Promise<string> {
  return answers[url]?.(JSON.parse(body).variables) ?? Promise.reject(new Error(`No path ${url}`));
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
