import sharp from 'sharp';

export type { Metadata, Sharp } from 'sharp';

// libvips also reads SVG, PDF, TIFF, raw matrices and files by name; each reader is a way to attack.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadJpegBuffer',
    'VipsForeignLoadPngBuffer',
    'VipsForeignLoadWebpBuffer',
    'VipsForeignLoadNsgifBuffer',
  ],
});
// Hardly any image comes twice, and the cache would keep decoded pixels of the last hundred operations.
sharp.cache(false);
// Images are worked on side by side, so threads inside one gain nothing and cost memory.
sharp.concurrency(1);

/** The one for originals, which come from strangers. Never import the package itself. */
export { sharp };
