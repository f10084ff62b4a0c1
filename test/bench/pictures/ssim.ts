const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
const side = 8;
const step = 4;

/**
 * How alike the brightness of two pictures of RGB is, 1 at the most: the structural similarity of Wang and others (2004),
 * in windows of 8 × 8 pixels.
 */
export function measureSsim(one: Buffer, other: Buffer, width: number, height: number): number {
  const [first, second] = [brightnessOf(one), brightnessOf(other)];
  let [sum, windows] = [0, 0];
  for (let top = 0; top + side <= height; top += step) {
    for (let left = 0; left + side <= width; left += step) {
      sum += compareWindow(first, second, top * width + left, width);
      windows += 1;
    }
  }
  return sum / windows;
}

function brightnessOf(rgb: Buffer): Float32Array {
  return Float32Array.from({ length: rgb.length / 3 }, (_, pixel) => {
    const [red = 0, green = 0, blue = 0] = rgb.subarray(pixel * 3, pixel * 3 + 3);
    return 0.299 * red + 0.587 * green + 0.114 * blue;
  });
}

function compareWindow(first: Float32Array, second: Float32Array, start: number, width: number): number {
  let [sumX, sumY, sumXX, sumYY, sumXY] = [0, 0, 0, 0, 0];
  for (let row = 0; row < side; row += 1) {
    for (let at = start + row * width; at < start + row * width + side; at += 1) {
      const [x = 0, y = 0] = [first[at], second[at]];
      sumX += x;
      sumY += y;
      sumXX += x * x;
      sumYY += y * y;
      sumXY += x * y;
    }
  }
  const count = side * side;
  const [meanX, meanY] = [sumX / count, sumY / count];
  const varianceX = sumXX / count - meanX * meanX;
  const varianceY = sumYY / count - meanY * meanY;
  const covariance = sumXY / count - meanX * meanY;
  return (
    ((2 * meanX * meanY + c1) * (2 * covariance + c2)) /
    ((meanX ** 2 + meanY ** 2 + c1) * (varianceX + varianceY + c2))
  );
}
