import { expect, test, vi } from 'vitest';
import { TauriTransport } from './TauriTransport';

type Sent = { command: string; args: Record<string, unknown> };

/** The shell's side of IPC, by hand: records what is invoked and speaks on the page's channel. */
function shell(refuse: Record<string, unknown> = {}) {
  const sent: Sent[] = [];
  let speak: (messages: unknown[]) => void = () => {};
  class Channel {
    set onmessage(on: (messages: unknown[]) => void) {
      speak = on;
    }
  }
  const invoke = async (command: string, args: Record<string, unknown> = {}) => {
    sent.push({ command, args });
    if (command in refuse) throw refuse[command];
    return null;
  };
  const transport = new TauriTransport({ Channel, invoke } as unknown as ConstructorParameters<
    typeof TauriTransport
  >[0]);
  const named = (command: string) => sent.filter((each) => each.command === command).map((each) => each.args);
  return { transport, named, speak: (messages: unknown[]) => speak(messages) };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));
const quotes = (id: number, seq: number, kind = 'delta') => ({ id, topic: 'quotes', seq, kind, data: [] });

test('one channel carries all subscriptions, each gets its own', async () => {
  const { transport, named, speak } = shell();
  const first: number[] = [];
  const second: number[] = [];
  transport.subscribe('quotes', {}, ({ seq }) => first.push(seq));
  const stop = transport.subscribe('quotes', {}, ({ seq }) => second.push(seq));
  await settled();
  expect(named('open_stream')).toHaveLength(1);
  expect(named('subscribe').map(({ id }) => id)).toEqual([1, 2]);
  speak([quotes(1, 1, 'snapshot'), quotes(2, 1, 'snapshot'), quotes(1, 2)]);
  stop();
  speak([quotes(2, 2), quotes(1, 3)]);
  expect([first, second]).toEqual([[1, 2, 3], [1]]);
  expect(named('unsubscribe')).toEqual([{ id: 2 }]);
});

test('a gap asks again under the same id and takes the snapshot that follows', async () => {
  const { transport, named, speak } = shell();
  const seen: number[] = [];
  transport.subscribe('quotes', {}, ({ seq }) => seen.push(seq));
  await settled();
  speak([quotes(1, 1, 'snapshot'), quotes(1, 3)]);
  await settled();
  expect(named('subscribe').map(({ id }) => id)).toEqual([1, 1]);
  speak([quotes(1, 1, 'snapshot'), quotes(1, 2)]);
  expect(seen).toEqual([1, 1, 2]);
});

test('a subscription that ended before the stream stood is never begun', async () => {
  const { transport, named } = shell();
  transport.subscribe('quotes', {}, () => {})();
  await settled();
  expect(named('subscribe')).toEqual([]);
});

test('refusals and errors of the engine reach the subscriber as they are', async () => {
  const body = { code: 'not_found', message: 'there is no topic', retryable: false, trace_id: '0' };
  const { transport, speak } = shell({ subscribe: body });
  const onError = vi.fn();
  transport.subscribe('quotes', {}, () => {}, onError);
  await settled();
  expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'not_found' });
  speak([{ id: 1, error: { ...body, code: 'unavailable' } }]);
  expect(onError.mock.calls[1]?.[0]).toMatchObject({ code: 'unavailable' });
});

test('a milestone is reported once', async () => {
  const { transport, named } = shell();
  transport.mark('first_chart');
  transport.mark('first_chart');
  await settled();
  expect(named('mark')).toEqual([{ event: 'first_chart' }]);
});
