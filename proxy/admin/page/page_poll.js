// Calls `look` again and again: the next look begins a while after the last has ended, so looks
// never pile up. Hidden and paused pages do not look, but for a look that was asked for.

const INTERVAL_MS = 1000;

export class Poll {
  #look;
  #paused = false;
  #asked = true;
  #wake = () => {};
  #current = new AbortController();

  // look(signal): the signal aborts a look whose answer nobody wants any more. It must not throw.
  constructor(look) {
    this.#look = look;
    document.addEventListener('visibilitychange', () => this.#wake());
  }

  async run() {
    for (;;) {
      await this.#turn();
      this.#asked = false;
      this.#current = new AbortController();
      await this.#look(this.#current.signal);
    }
  }

  // What is under way is no longer wanted: look anew, at once.
  now() {
    this.#asked = true;
    this.#current.abort();
    this.#wake();
  }

  get paused() {
    return this.#paused;
  }

  set paused(paused) {
    this.#paused = paused;
    this.#wake();
  }

  // Returns when it is time for the next look.
  async #turn() {
    const due = performance.now() + INTERVAL_MS;
    while (!this.#asked) {
      const left = this.#paused || document.hidden ? Infinity : due - performance.now();
      if (left <= 0) return;
      await this.#sleep(left);
    }
  }

  #sleep(milliseconds) {
    return new Promise((resolve) => {
      const timer = milliseconds < Infinity ? setTimeout(resolve, milliseconds) : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
