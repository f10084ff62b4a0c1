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
  const page = String(renderGraphiQL({ endpoint, title: 'Packshot', defaultTabs }));
  const html = Buffer.from(page.replace(/(?=<\/body>\s*<\/html>\s*$)/, () => previewScript));
  return { html, gzipped: await promisify(gzip)(html) };
}

/**
 * Shows the picture beside the editor's hint to follow an address. GraphiQL's own preview fails on addresses with a
 * host (its issue 4101) or a port. Only for paths of images as ours: a source's host need not know who looks.
 */
const previewScript = `
<script type="module">
  const picture = document.createElement('img');
  picture.alt = 'Preview';
  picture.style = 'position: fixed; z-index: 100; max-width: 320px; max-height: 240px; pointer-events: none; ' +
    'background: #fff; border-radius: 4px; box-shadow: 0 2px 12px #0004';

  function preview() {
    const link = document.querySelector('.monaco-hover:not(.hidden) a[data-href]');
    const address = URL.parse(link?.dataset.href ?? '');
    if (!/\\/images\\/.+\\.(avif|gif|jpe?g|png|webp)$/.test(address?.pathname)) return picture.remove();
    if (picture.isConnected && picture.src === address.href) return;
    const { left, top, bottom } = link.closest('.monaco-hover').getBoundingClientRect();
    const hasRoomBelow = bottom + 280 < innerHeight;
    picture.style.left = Math.min(left, innerWidth - 340) + 'px';
    picture.style.top = hasRoomBelow ? bottom + 28 + 'px' : 'auto';
    picture.style.bottom = hasRoomBelow ? 'auto' : innerHeight - top + 4 + 'px';
    picture.src = address.href;
    document.body.append(picture);
  }

  const changes = { subtree: true, childList: true, attributes: true, attributeFilter: ['class', 'data-href'] };
  new MutationObserver(preview).observe(document.body, changes);
</script>
`;
