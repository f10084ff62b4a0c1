import { thumbHashToDataURL } from 'thumbhash';
import { type Html, html } from './html.ts';
import type { SheetData, SheetImage } from './sheet-query.ts';

/** Those further down are fetched when they come near. */
const loadedAtOnce = 12;

/** A contact sheet, product by product. `path` is the sheet's own, for the link to the next page. */
export function renderSheet({ imageCount, productImages }: SheetData, path: string): string {
  const { nodes, pageInfo } = productImages;
  const products = Map.groupBy(nodes, ({ productId }) => productId);
  const next = pageInfo.hasNextPage
    ? html`<a rel="next" href="${path}?after=${encodeURIComponent(pageInfo.endCursor ?? '')}">More</a>`
    : null;
  const sections = [...products].map(([productId, images]) => renderProduct(productId, images, nodes));
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Packshot: contact sheet</title>
<style>${styles}</style>
</head>
<body>
<header>
<h1>Contact sheet</h1>
<p>${imageCount} images · <a href="/graphql">GraphiQL</a></p>
</header>
${sections.length > 0 ? sections : html`<p>There are no images to show yet.</p>`}
<footer>${next}</footer>
</body>
</html>
`;
  return page.text;
}

function renderProduct(productId: string, images: SheetImage[], all: SheetImage[]): Html {
  return html`<section>
<h2>Product ${productId}</h2>
<ul>
${images.map(image => renderImage(image, all.indexOf(image) < loadedAtOnce))}</ul>
</section>
`;
}

/**
 * The room is taken by `width` and `height` before the picture comes, the ThumbHash is painted there meanwhile, and
 * the browser chooses from `srcset` what its layout and display need.
 */
function renderImage(
  { id, name, altText, width, height, thumbhash, url, srcset }: SheetImage,
  isLoadedAtOnce: boolean,
): Html {
  const placeholder = thumbhash && thumbHashToDataURL(Buffer.from(thumbhash, 'base64'));
  return html`<li id="image-${id}"><figure>
<img src="${url}" srcset="${srcset}" sizes="(max-width: 480px) 46vw, 193px" width="${width}" height="${height}" alt="${altText}" loading="${isLoadedAtOnce ? 'eager' : 'lazy'}" decoding="async" style="background-image: url(${placeholder})">
<figcaption>${name}</figcaption>
</figure></li>
`;
}

const styles = html`
body { margin: 2rem auto; max-width: 68rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; color: #222; }
h1 { margin: 0; font-size: 1.5rem; }
h2 { margin: 2rem 0 .5rem; font-size: 1rem; }
ul { display: flex; flex-wrap: wrap; gap: 1rem; margin: 0; padding: 0; list-style: none; }
li { width: min(46vw, 193px); }
figure { margin: 0; }
img { display: block; width: 100%; height: auto; border-radius: 4px; background-size: 100% 100%; color: transparent; }
figcaption { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: .8rem; color: #666; }
footer { margin: 2rem 0; }
`;
