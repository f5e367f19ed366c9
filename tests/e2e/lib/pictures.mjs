// What the documentation's pictures show, in the order they are taken: each step starts where the last one ended.
import { By, Key } from 'selenium-webdriver';
import { invoke, until } from './desktop.mjs';

const call = async (driver, name, body) => {
  const { ok, error } = await invoke(driver, 'call', { name, body });
  if (error) throw new Error(`${name}: ${error.code}: ${error.message}`);
  return ok;
};
const button = (name) => By.xpath(`//button[normalize-space()='${name}' or @aria-label='${name}']`);
const settle = (driver) => driver.sleep(1_500);
const theme = async (driver, name) => {
  await driver.findElement(button('Settings')).click();
  const entry = await driver.wait(async () => {
    const found = await driver.findElements(By.xpath(`//*[starts-with(@role,'menuitem')][normalize-space()='${name}']`));
    return found[0];
  }, 5_000);
  await entry.click();
  await settle(driver);
};

/** A candle's close in the legend of the first chart. */
export const hasChart = () => /\d/.test(document.querySelector('[aria-roledescription="chart"] [data-cell="c"]')?.textContent ?? '');

export const PICTURES = [
  {
    name: 'workstation-dark',
    async prepare(driver) {
      await until(driver, 'the first chart', hasChart);
      const { quotes } = await call(driver, 'quotes.list', { instruments: ['BTC-PERP.SIM', 'ETH-PERP.SIM', 'NVDA.SIM'] });
      const last = (id) => Number(quotes.find((quote) => quote.instrument === id).last);
      const bracket = (instrument, side, qty, decimals) => ({
        account: 'paper', instrument, side, qty, order_type: 'market',
        take_profit: (last(instrument) * (side === 'buy' ? 1.02 : 0.98)).toFixed(decimals),
        stop_loss: (last(instrument) * (side === 'buy' ? 0.99 : 1.01)).toFixed(decimals),
      });
      await call(driver, 'orders.place', bracket('BTC-PERP.SIM', 'buy', '0.1', 1));
      await call(driver, 'orders.place', bracket('ETH-PERP.SIM', 'sell', '1', 2));
      await call(driver, 'orders.place', bracket('NVDA.SIM', 'buy', '20', 2));
      const strategy = { strategy: 'ema-cross', params: {}, instrument: 'SOL-PERP.SIM', timeframe: '1m', account: 'paper' };
      await call(driver, 'strategies.start', strategy);
      await driver.wait(async () => (await call(driver, 'positions.list', {})).positions.length >= 3, 30_000);
      await driver.sleep(4_000);
    },
  },
  {
    name: 'palette-dark',
    async prepare(driver) {
      await driver.actions().keyDown(Key.CONTROL).sendKeys('k').keyUp(Key.CONTROL).perform();
      await settle(driver);
    },
  },
  {
    name: 'monitor-dark',
    async prepare(driver) {
      await driver.actions().sendKeys(Key.ESCAPE).perform();
      await driver.findElement(button('Monitor')).click();
      await driver.sleep(6_000);
    },
  },
  {
    name: 'workstation-light',
    async prepare(driver) {
      await driver.findElement(button('Trade')).click();
      await theme(driver, 'Light theme');
    },
  },
];
