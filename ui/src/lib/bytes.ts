const encoder = new TextEncoder();

/** The engine counts text in bytes of UTF-8, a field in UTF-16 units. */
export const toBytes = (text: string, index: number): number => encoder.encode(text.slice(0, index)).length;

export function fromBytes(text: string, bytes: number): number {
  if (bytes <= 0) return 0;
  let index = 0;
  let seen = 0;
  for (const character of text) {
    if (seen >= bytes) break;
    seen += encoder.encode(character).length;
    index += character.length;
  }
  return index;
}
