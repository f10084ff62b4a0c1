import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { serveToParent } from '../serve-to-parent.ts';

// Nothing but Node: the sizes are known beforehand, so that a request costs the opening and the reading of one file.
const [folder = ''] = process.argv.slice(2);
const sizes = new Map(readdirSync(folder).map(name => [`/${name}`, statSync(join(folder, name)).size]));
serveToParent((request, response) => {
  const size = sizes.get(request.url ?? '');
  if (size === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': size });
  createReadStream(join(folder, request.url ?? '')).pipe(response);
});
