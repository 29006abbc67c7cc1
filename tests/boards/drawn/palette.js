// smaller(png): the same picture with 256 colours (the commonest, the others as the nearest of those), a third of the size.
// In the browser, as it reads PNG and deflates; base64 in and out.
async function smaller(png) {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const { width, height } = image;
  const canvas = new OffscreenCanvas(width, height).getContext('2d');
  canvas.drawImage(image, 0, 0);
  const pixels = new Uint32Array(canvas.getImageData(0, 0, width, height).data.buffer);
  const counted = new Map();
  for (const pixel of pixels) {
    counted.set(pixel, (counted.get(pixel) ?? 0) + 1);
  }
  const parts = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
  // First colours that differ visibly, so that a gradient of many rare shades is not left out.
  const palette = [];
  const apart = (one, other) => one.reduce((sum, value, at) => sum + (value - other[at]) ** 2, 0);
  const common = [...counted.keys()].sort((one, other) => counted.get(other) - counted.get(one)).slice(0, 6000);
  for (const least of [48, 16, 0]) {
    for (const pixel of common) {
      const color = parts(pixel);
      if (palette.length < 256 && palette.every((each) => apart(each, color) > least)) {
        palette.push(color);
      }
    }
  }
  const nearest = new Map();
  for (const pixel of counted.keys()) {
    const color = parts(pixel);
    let [best, distance] = [0, Infinity];
    palette.forEach((each, place) => {
      const between = apart(each, color);
      if (between < distance) {
        [best, distance] = [place, between];
      }
    });
    nearest.set(pixel, best);
  }
  const rows = new Uint8Array((width + 1) * height); // each begins with its filter: none
  for (let y = 0, from = 0, to = 0; y < height; y += 1) {
    to += 1;
    for (let x = 0; x < width; x += 1) {
      rows[to++] = nearest.get(pixels[from++]);
    }
  }
  const deflated = new Uint8Array(
    await new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream('deflate'))).arrayBuffer()
  );
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 3, 0, 0, 0], 8); // 8 bits, a palette
  const signature = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]);
  const file = new Blob([
    signature, ...chunk('IHDR', header), ...chunk('PLTE', new Uint8Array(palette.flat())), ...chunk('IDAT', deflated),
    ...chunk('IEND', new Uint8Array()),
  ]);
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 32768) {
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  }
  return btoa(text);
}

function chunk(name, content) {
  const named = new Uint8Array(4 + content.length);
  named.set([...name].map((letter) => letter.charCodeAt(0)));
  named.set(content, 4);
  const sizes = new DataView(new ArrayBuffer(8));
  sizes.setUint32(0, content.length);
  sizes.setUint32(4, crc(named));
  return [sizes.buffer.slice(0, 4), named, sizes.buffer.slice(4)];
}

function crc(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) {
      sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
    }
  }
  return ~sum >>> 0;
}
