/** A rendition to be made of one of the originals. */
export interface Job {
  original: number;
  width: number;
  height: number;
  format: 'jpeg' | 'webp' | 'avif';
}

export const originalCount = 40;
export const originalSize = { width: 2_000, height: 1_500 };

export function jobOf(original: number, width: number, format: Job['format']): Job {
  const height = Math.round((width * originalSize.height) / originalSize.width);
  return { original: original % originalCount, width, height, format };
}

export function originalName(original: number): string {
  return `original-${original}.jpg`;
}
