// From the JSON lines of the benchmark programs to the table a person reads.
// A line: {"peer":"candlewick","row":"D-bar","value":16.8,"unit":"ns/bar","check":…}; every other peer of the same row
// and unit is a yardstick that ran in the same program, on the same input. Smaller is better in every row.

const OURS = 'candlewick';

/** Takes the benchmark lines out of a program's output; other text is ignored, a broken line is an error. */
export function parseLines(text) {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => {
      const entry = JSON.parse(line);
      if (typeof entry.row !== 'string' || typeof entry.peer !== 'string' || typeof entry.unit !== 'string') {
        throw new Error(`not a benchmark line: ${line}`);
      }
      // A figure without its answer proves nothing: it may have measured doing nothing.
      if (!(entry.value > 0) || entry.check === undefined) throw new Error(`no value or no check: ${line}`);
      return entry;
    });
}

/** One table line per row of ours and yardstick of it; the ratio says how many times faster or smaller ours is. */
export function tabulate(entries) {
  const lines = [['name', 'ours', 'yardstick', 'ratio']];
  for (const ours of entries.filter((entry) => entry.peer === OURS)) {
    const peers = entries.filter((entry) => entry.peer !== OURS && entry.row === ours.row && entry.unit === ours.unit);
    const figure = `${round(ours.value)} ${ours.unit}`;
    if (peers.length === 0) lines.push([ours.row, figure, '—', '—']);
    for (const peer of peers) {
      lines.push([ours.row, figure, `${round(peer.value)} ${peer.unit} (${peer.peer})`, `${round(peer.value / ours.value)}×`]);
    }
  }
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => [...line[column]].length)));
  return lines.map((line) => line.map((cell, i) => cell + ' '.repeat(widths[i] - [...cell].length)).join(' | ').trimEnd());
}

function round(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
