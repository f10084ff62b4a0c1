import { createSampleCatalogue } from './catalogue.ts';
import { encodeSamplePicture } from './encode.ts';

// A process of its own: it needs the SVG loader, which the service has blocked for the sake of what it downloads,
// and it leaves the service's cores and memory alone.
for (const { pictures } of createSampleCatalogue()) {
  for (const picture of pictures) process.send?.(await encodeSamplePicture(picture));
}
process.disconnect?.();
