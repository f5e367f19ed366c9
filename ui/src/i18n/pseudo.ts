const ACCENTS: Record<string, string> = {
  a: 'á',
  b: 'ƀ',
  c: 'ç',
  d: 'đ',
  e: 'é',
  f: 'ƒ',
  g: 'ĝ',
  h: 'ĥ',
  i: 'í',
  j: 'ĵ',
  k: 'ķ',
  l: 'ľ',
  m: 'ɱ',
  n: 'ñ',
  o: 'ó',
  p: 'þ',
  r: 'ř',
  s: 'š',
  t: 'ţ',
  u: 'ú',
  v: 'ṽ',
  w: 'ŵ',
  x: 'ẋ',
  y: 'ý',
  z: 'ž',
};

/** One text with accents and a third longer: what stays plain on screen is not translated, what is cut is too tight. */
export function pseudoText(text: string): string {
  const marked = text
    .split(/(\{\{[^}]*\}\})/)
    .map((part) => (part.startsWith('{{') ? part : part.replace(/[a-z]/g, (c) => ACCENTS[c] ?? c)))
    .join('');
  return `⟦${marked}${'·'.repeat(Math.ceil(text.length / 3))}⟧`;
}

export function pseudo<T>(tree: T): T {
  if (typeof tree === 'string') return pseudoText(tree) as T;
  return Object.fromEntries(
    Object.entries(tree as Record<string, unknown>).map(([key, value]) => [key, pseudo(value)]),
  ) as T;
}
