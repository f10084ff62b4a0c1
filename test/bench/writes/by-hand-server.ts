import { text } from 'node:stream/consumers';
import { serveToParent } from '../serve-to-parent.ts';
import { openByHand } from './by-hand.ts';

// Nothing but Node and postgres.js.
const [url = '', maxConnections] = process.argv.slice(2);
const byHand = openByHand(url, Number(maxConnections));
serveToParent(async (request, response) => {
  if (request.method === 'GET') {
    response.writeHead(204).end();
    return;
  }
  const data = await byHand.run(JSON.parse(await text(request)));
  const body = JSON.stringify({ data });
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
});
