/** Fails when the first load or a later chunk is heavier (gzip) than the budget allows. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const INITIAL_KB = 450;
const CHUNK_KB = 150;
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));
const size = (file) => gzipSync(readFileSync(new URL(file, dist))).length / 1000;

const initial = new Set();
const follow = (key) => {
  const entry = manifest[key];
  if (!entry || initial.has(entry.file)) return;
  initial.add(entry.file);
  for (const next of entry.imports ?? []) follow(next);
};
for (const [key, entry] of Object.entries(manifest)) if (entry.isEntry) follow(key);

const first = [...initial].filter((file) => file.endsWith('.js')).reduce((sum, file) => sum + size(file), 0);
const heavy = Object.values(manifest)
  .filter((entry) => entry.file.endsWith('.js') && !initial.has(entry.file))
  .map((entry) => [entry.file, size(entry.file)])
  .filter(([, kb]) => kb > CHUNK_KB);
console.log(`initial JavaScript ${first.toFixed(0)} kB gzip of ${INITIAL_KB}`);
for (const [file, kb] of heavy) console.error(`chunk ${file} is ${kb.toFixed(0)} kB gzip, over ${CHUNK_KB}`);
const mock = Object.keys(manifest).filter((key) => key.includes('src/dev/'));
if (mock.length) console.error(`development code is in the bundle: ${mock.join(', ')}`);
if (first > INITIAL_KB || heavy.length || mock.length) process.exit(1);
