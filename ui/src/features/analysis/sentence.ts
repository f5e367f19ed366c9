/** A piece of a sentence; a value names the field it came from. */
export interface Piece {
  text: string;
  field: number | null;
}

/** Cuts a sentence at the values of its fields, which stand in the order in which they are printed. */
export function piecesOf(text: string, printed: readonly string[]): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  printed.forEach((value, field) => {
    const found = value === '' ? -1 : text.indexOf(value, at);
    if (found < 0) return;
    if (found > at) pieces.push({ text: text.slice(at, found), field: null });
    pieces.push({ text: value, field });
    at = found + value.length;
  });
  if (at < text.length) pieces.push({ text: text.slice(at), field: null });
  return pieces;
}
