/** SVG path of a line through `points` in a box; empty text for fewer than two points. */
export function sparkPath(points: readonly number[], width: number, height: number): string {
  const clean = points.filter(Number.isFinite);
  if (clean.length < 2) return '';
  const low = Math.min(...clean);
  const span = Math.max(...clean) - low || 1;
  const step = width / (clean.length - 1);
  return clean
    .map(
      (p, i) => `${i === 0 ? 'M' : 'L'}${(i * step).toFixed(1)} ${(height - ((p - low) / span) * height).toFixed(1)}`,
    )
    .join('');
}
