/**
 * The binary answer of `chart.window`, little endian: magic `CWF1` | u32 length of the header | header JSON padded with
 * spaces so that what follows is 8-byte aligned | one block of `rows` doubles per column. NaN = not warm yet.
 */
export interface FrameHeader {
  instrument: string;
  timeframe: string;
  rows: number;
  columns: string[];
  price_decimals: number;
  provider: string;
  has_more_before: boolean;
  /** The last row is a candle that is still forming. */
  forming: boolean;
  /** The venue has not answered yet: this is what is stored, and more can be had in a moment. */
  catching_up: boolean;
}
export interface Frame {
  header: FrameHeader;
  columns: Float64Array[];
}

const MAGIC = 0x31465743; // "CWF1" read as a little-endian u32

export function decodeFrame(bytes: ArrayBuffer): Frame {
  const view = new DataView(bytes);
  if (bytes.byteLength < 8 || view.getUint32(0, true) !== MAGIC) throw new Error('not a chart frame');
  const length = view.getUint32(4, true);
  if (8 + length > bytes.byteLength) throw new Error('chart frame: header is cut off');
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length))) as FrameHeader;
  const start = 8 + length;
  const need = header.columns.length * header.rows * 8;
  if (start % 8 !== 0) throw new Error('chart frame: columns are not aligned');
  if (start + need !== bytes.byteLength) throw new Error(`chart frame: ${bytes.byteLength - start} bytes, not ${need}`);
  const columns = header.columns.map((_, i) => new Float64Array(bytes, start + i * header.rows * 8, header.rows));
  return { header, columns };
}

export function encodeFrame(header: FrameHeader, columns: readonly Float64Array[]): ArrayBuffer {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil((json.length + 8) / 8) * 8 - 8;
  const bytes = new ArrayBuffer(8 + padded + columns.length * header.rows * 8);
  const view = new DataView(bytes);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, padded, true);
  const head = new Uint8Array(bytes, 8, padded).fill(32);
  head.set(json);
  columns.forEach((column, i) => {
    new Float64Array(bytes, 8 + padded + i * header.rows * 8, header.rows).set(column);
  });
  return bytes;
}
