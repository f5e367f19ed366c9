// The real headless engine on a fresh data directory, as a user starts it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { binary } from '../../../scripts/lib/paths.mjs';
import { start, temporaryDirectory } from './process.mjs';

export const CANDLEWICK = process.env.CANDLEWICK_BINARY ?? binary('candlewick', 'dev');

/** Starts `candlewick run`; answers where it listens, its operator token and the address a person would open. */
export async function startEngine(t, { dataDir = temporaryDirectory(t), listen = '127.0.0.1:0', args = [] } = {}) {
  const program = start(t, CANDLEWICK, ['run', '--data-dir', dataDir, '--listen', listen, ...args]);
  const ready = JSON.parse(await program.line((line) => line.startsWith('{') && line.includes('"event":"ready"')));
  const base = `http://${ready.http}`;
  const token = readFileSync(join(dataDir, 'run/operator.token'), 'utf8').trim();
  return {
    ...program,
    base,
    dataDir,
    ready,
    token,
    /** The address with the one-time pairing code, as printed for a person. */
    async pairingUrl() {
      const line = await program.line((text) => text.includes('#pair='), 10_000);
      return /http:\/\/\S+#pair=[^\s"]+/.exec(line)[0];
    },
    /** One command of the registry over REST. */
    async call(name, body = {}) {
      const [noun, verb] = name.split('.');
      const response = await fetch(`${base}/api/v1/${noun}/${verb}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const answer = await response.json();
      if (!response.ok) throw Object.assign(new Error(`${name}: ${answer.code}: ${answer.message}`), answer);
      return answer;
    },
  };
}
