const KEY = 'candlewick.console';
const LIMIT = 5_000;
/** Lines that carry a secret are not kept. */
const SECRET = /(key|token|secret|password|passphrase)s?(\b|=)/i;

/** What was typed, oldest first, over restarts of the page. */
export class History {
  #lines: string[];
  #at: number;
  #draft = '';

  constructor(private readonly storage: Pick<Storage, 'getItem' | 'setItem'> | null = safeStorage()) {
    let stored: unknown = [];
    try {
      stored = JSON.parse(storage?.getItem(KEY) ?? '[]');
    } catch {
      stored = [];
    }
    this.#lines = Array.isArray(stored) ? stored.filter((line) => typeof line === 'string') : [];
    this.#at = this.#lines.length;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  add(line: string): void {
    this.#draft = '';
    if (line.trim() !== '' && !SECRET.test(line) && this.#lines.at(-1) !== line) {
      this.#lines = [...this.#lines, line].slice(-LIMIT);
      try {
        this.storage?.setItem(KEY, JSON.stringify(this.#lines));
      } catch {
        // Storage is full or refused: the history lives as long as the page.
      }
    }
    this.#at = this.#lines.length;
  }

  /** The line before (−1) or after (+1); past the newest comes back what was being typed. */
  move(by: -1 | 1, current: string): string {
    if (this.#at === this.#lines.length) this.#draft = current;
    this.#at = Math.max(0, Math.min(this.#lines.length, this.#at + by));
    return this.#at === this.#lines.length ? this.#draft : (this.#lines[this.#at] ?? '');
  }

  /** The newest line that contains `text`, for Ctrl+R; `skip` looks further back. */
  search(text: string, skip = 0): string | null {
    if (text === '') return null;
    return [...this.#lines].reverse().filter((line) => line.includes(text))[skip] ?? null;
  }
}

function safeStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
