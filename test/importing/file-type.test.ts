import { describe, expect, it } from 'vitest';
import { describeForeignType, findImageType } from '../../src/importing/file-type.ts';

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

describe('the type of an image', () => {
  it.each([
    ['\xff\xd8\xff\xe0', 'image/jpeg', 'jpg'],
    ['\x89PNG\r\n\x1a\n\0', 'image/png', 'png'],
    ['RIFF\x10\0\0\0WEBPVP8 ', 'image/webp', 'webp'],
    ['GIF87a', 'image/gif', 'gif'],
    ['GIF89a', 'image/gif', 'gif'],
  ])('follows from the first bytes %j', (text, mimeType, extension) => {
    expect(findImageType(bytes(text))).toMatchObject({ mimeType, extension });
  });

  it.each(['', '\xff\xd8', 'GIF88a', 'RIFF\x10\0\0\0WAVE', ' GIF89a', 'PNG', 'x\x89PNG\r\n\x1a\n'])(
    'is not found in %j',
    text => {
      expect(findImageType(bytes(text))).toBeNull();
    },
  );
});

describe('a refused file', () => {
  it.each([
    ['', 'empty'],
    ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'SVG'],
    ['\xef\xbb\xbf \n<?xml version="1.0"?><!-- drawn by hand --><svg>', 'SVG'],
    ['<!DOCTYPE html><title>Not found</title>', 'HTML'],
    ['\n\n<html>', 'HTML'],
    ['<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', 'XML'],
    ['%PDF-1.7', 'PDF'],
    ['II*\0', 'TIFF'],
    ['MM\0*', 'TIFF'],
    ['\0\0\0\x20ftypavif', 'AVIF'],
    ['\0\0\0\x18ftypheic', 'HEIC'],
    ['\0\0\0\x18ftypmif1', 'HEIF'],
    ['\0\0\0\x18ftypisom', 'video'],
    ['BM\x46\0', 'BMP'],
    ['\0\0\x01\0\x01\0', 'ICO'],
    ['8BPS', 'Photoshop'],
    ['\xff\x0a', 'JPEG XL'],
    ['\0\0\0\x0cJXL ', 'JPEG XL'],
    ['\0\0\0\x0cjP  ', 'JPEG 2000'],
    ['PK\x03\x04', 'ZIP'],
    ['\x1f\x8b\x08', 'gzip'],
    ['{"error": "not found"}', 'of an unknown type'],
  ])('that begins with %j is called %s', (text, name) => {
    expect(describeForeignType(bytes(text))).toBe(name);
  });
});
