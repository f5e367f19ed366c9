import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { patiently } from './lazily';

const away = () => Promise.reject(new TypeError('Failed to fetch dynamically imported module: /assets/NewsPanel.js'));

describe('a chunk', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('is asked for again until the engine is back', async () => {
    const load = vi.fn((): Promise<string> => (load.mock.calls.length < 4 ? away() : Promise.resolve('panel')));
    const loading = patiently(load);
    await vi.advanceTimersByTimeAsync(500 + 1_000);
    expect(load).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(2_000);
    await expect(loading).resolves.toBe('panel');
  });

  it('is given up after two minutes', async () => {
    const load = vi.fn(away);
    const loading = expect(patiently(load)).rejects.toThrow('Failed to fetch');
    await vi.advanceTimersByTimeAsync(180_000);
    await loading;
    expect(load).toHaveBeenCalledTimes(20);
  });

  it('that is broken is not asked for again', async () => {
    const load = vi.fn(() => Promise.reject(new ReferenceError('x is not defined')));
    await expect(patiently(load)).rejects.toThrow('x is not defined');
    expect(load).toHaveBeenCalledTimes(1);
  });
});
