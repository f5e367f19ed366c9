// What the documentation's pictures show, in the order they are taken: each step starts where the last one ended.
import { By, Key } from 'selenium-webdriver';
import { invoke, until } from './desktop.mjs';
import { onTick } from './price.mjs';

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
      const { quotes } = await call(driver, 'quotes.list', {});
      const { instruments } = await call(driver, 'symbols.list', {});
      const bracket = async (instrument, side, qty) => {
        const last = Number(quotes.find((quote) => quote.instrument === instrument).last);
        const { tick_size: tick } = instruments.find(({ id }) => id === instrument);
        const [gain, loss] = side === 'buy' ? [1.02, 0.99] : [0.98, 1.01];
        const levels = { take_profit: onTick(last * gain, tick), stop_loss: onTick(last * loss, tick) };
        await call(driver, 'orders.place', { account: 'paper', instrument, side, qty, order_type: 'market', ...levels });
      };
      await bracket('BTC-PERP.SIM', 'buy', '0.1');
      await bracket('ETH-PERP.SIM', 'sell', '1');
      await bracket('NVDA.SIM', 'buy', '20');
      const strategy = { strategy: 'ema-cross', params: {}, instrument: 'SOL-PERP.SIM', timeframe: '1m', account: 'paper' };
      await call(driver, 'strategies.start', strategy);
      await driver.wait(async () => (await call(driver, 'positions.list', {})).positions.length >= 3, 30_000);
      await driver.findElement(By.xpath("//*[normalize-space()='First steps']/following::button[1]")).click();
      await driver.sleep(20_000); // toasts leave, sparklines and decisions arrive, the web engine has painted it all
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
    name: 'research-dark',
    async prepare(driver) {
      await driver.findElement(button('Research')).click();
      await driver.sleep(12_000); // the search for similar moments reads 50,000 candles
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
