/** Just enough of the engine's studies to fill a development chart. Real values come from the engine only. */
export function study(set: string, close: Float64Array): { names: string[]; columns: Float64Array[] } {
  const names: string[] = [];
  const columns: Float64Array[] = [];
  for (const item of set.match(/\w+\([^)]*\)/g) ?? []) {
    const [name = '', args = ''] = item.slice(0, -1).split('(');
    const [n = 14, k = 2] = args.split(',').map(Number);
    if (name === 'ema') {
      names.push(item);
      columns.push(ema(close, n));
    } else if (name === 'sma') {
      names.push(item);
      columns.push(mean(close, n));
    } else if (name === 'bb') {
      const middle = mean(close, n);
      const wide = close.map((_, i) => {
        let sum = 0;
        for (let j = i - n + 1; j <= i; j++) sum += ((close[j] ?? Number.NaN) - (middle[i] ?? 0)) ** 2;
        return Math.sqrt(sum / n) * k;
      });
      names.push(`${item}.upper`, `${item}.middle`, `${item}.lower`);
      columns.push(
        middle.map((m, i) => m + (wide[i] ?? 0)),
        middle,
        middle.map((m, i) => m - (wide[i] ?? 0)),
      );
    } else if (name === 'rsi') {
      names.push(item);
      columns.push(rsi(close, n));
    }
  }
  return { names, columns };
}

function ema(x: Float64Array, n: number): Float64Array {
  const out = new Float64Array(x.length).fill(Number.NaN);
  let value = x[0] ?? 0;
  x.forEach((c, i) => {
    value += (c - value) * (2 / (n + 1));
    if (i >= n) out[i] = value;
  });
  return out;
}
function mean(x: Float64Array, n: number): Float64Array {
  const out = new Float64Array(x.length).fill(Number.NaN);
  let sum = 0;
  x.forEach((c, i) => {
    sum += c - (i >= n ? (x[i - n] ?? 0) : 0);
    if (i >= n - 1) out[i] = sum / n;
  });
  return out;
}
function rsi(x: Float64Array, n: number): Float64Array {
  const out = new Float64Array(x.length).fill(Number.NaN);
  let up = 0;
  let down = 0;
  for (let i = 1; i < x.length; i++) {
    const move = (x[i] ?? 0) - (x[i - 1] ?? 0);
    up += (Math.max(move, 0) - up) / n;
    down += (Math.max(-move, 0) - down) / n;
    if (i >= n) out[i] = 100 - 100 / (1 + up / (down || 1e-9));
  }
  return out;
}
