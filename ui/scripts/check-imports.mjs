/** Features meet only in `app/`; nothing but the transport talks to the engine or to the shell. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../src/', import.meta.url));
const files = readdirSync(src, { recursive: true })
  .map(String)
  .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file) && !file.startsWith('bindings/'));

/** What a folder must not import. */
const FORBIDDEN = {
  kit: ['app', 'features', 'transport', 'commands', 'lib'],
  lib: ['app', 'features', 'commands'],
  transport: ['app', 'features', 'commands', 'kit'],
  commands: ['app', 'features'],
  features: ['app', 'commands'],
};
const EXCEPTIONS = new Set(['transport/connect.ts > dev']);

const wrong = [];
for (const file of files) {
  const text = readFileSync(join(src, file), 'utf8');
  const [folder, feature] = file.split('/');
  for (const [, from] of text.matchAll(/(?:from|import\()\s*'([^']+)'/g)) {
    const target = from.startsWith('@/')
      ? from.slice(2)
      : from.startsWith('.')
        ? relative(src, join(src, file, '..', from))
        : null;
    if (target === null) {
      if (from.startsWith('@tauri-apps/') && file !== 'transport/TauriTransport.ts') wrong.push(`${file}: ${from}`);
      continue;
    }
    const [to, toFeature] = target.split('/');
    if (EXCEPTIONS.has(`${file} > ${to}`)) continue;
    if (FORBIDDEN[folder]?.includes(to)) wrong.push(`${file}: ${from}`);
    if (folder === 'features' && to === 'features' && feature !== toFeature) wrong.push(`${file}: ${from}`);
    if (to === 'dev' && folder !== 'dev') wrong.push(`${file}: ${from}`);
  }
  if (/\bfetch\(|new WebSocket\(/.test(text) && folder !== 'transport' && folder !== 'dev')
    wrong.push(`${file}: talks to the network`);
}
for (const line of wrong) console.error(line);
if (wrong.length) process.exit(1);
