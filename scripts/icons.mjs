// Draws every application icon from icons/icon.svg. Run it after a change of the SVG and commit what it writes:
// `npm run icons`. Chromium draws, because the browser tests need it anyway.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './lib/paths.mjs';
import { launchChromium } from './lib/chromium.mjs';

const DIR = join(ROOT, 'icons');

/** Windows .ico whose images are PNG (allowed since Vista). */
function ico(images) {
  const header = Buffer.alloc(6 + 16 * images.length);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(images.length, 4);
  let offset = header.length;
  images.forEach(({ size, png }, i) => {
    const at = 6 + 16 * i;
    header.writeUInt8(size === 256 ? 0 : size, at);
    header.writeUInt8(size === 256 ? 0 : size, at + 1);
    header.writeUInt16LE(1, at + 4);
    header.writeUInt16LE(32, at + 6);
    header.writeUInt32LE(png.length, at + 8);
    header.writeUInt32LE(offset, at + 12);
    offset += png.length;
  });
  return Buffer.concat([header, ...images.map((image) => image.png)]);
}

/** macOS .icns: a sequence of (type, length, PNG). */
function icns(images) {
  const types = { 128: 'ic07', 256: 'ic08', 512: 'ic09', 1024: 'ic10' };
  const chunks = images.map(({ size, png }) => {
    const head = Buffer.alloc(8);
    head.write(types[size], 0, 'ascii');
    head.writeUInt32BE(png.length + 8, 4);
    return Buffer.concat([head, png]);
  });
  const head = Buffer.alloc(8);
  head.write('icns', 0, 'ascii');
  head.writeUInt32BE(8 + chunks.reduce((sum, chunk) => sum + chunk.length, 0), 4);
  return Buffer.concat([head, ...chunks]);
}

const svg = await readFile(join(DIR, 'icon.svg'), 'utf8');
const browser = await launchChromium();
try {
  const page = await browser.newPage();
  const draw = async (size) => {
    await page.setViewportSize({ width: size, height: size });
    await page.setContent(
      `<style>*{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`,
    );
    return page.screenshot({ omitBackground: true });
  };
  const images = new Map();
  for (const size of [16, 32, 48, 128, 256, 512, 1024]) images.set(size, { size, png: await draw(size) });
  const write = (name, bytes) => writeFile(join(DIR, name), bytes);
  await write('32x32.png', images.get(32).png);
  await write('128x128.png', images.get(128).png);
  await write('128x128@2x.png', images.get(256).png);
  await write('icon.png', images.get(512).png);
  await write('icon.ico', ico([16, 32, 48, 256].map((size) => images.get(size))));
  await write('icon.icns', icns([128, 256, 512, 1024].map((size) => images.get(size))));
  console.log(`icons written to ${DIR}`);
} finally {
  await browser.close();
}
