/** `price` on the instrument's price step, as text; `tickSize` is text such as "0.5". */
export function onTick(price, tickSize) {
  const tick = Number(tickSize);
  const decimals = (tickSize.split('.')[1] ?? '').length;
  return (Math.round(price / tick) * tick).toFixed(decimals);
}
