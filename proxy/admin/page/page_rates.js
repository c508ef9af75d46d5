// Numbers per second, out of two looks at numbers that only grow.

export class Rates {
  #before = new Map(); // key: {value, at}

  // Undefined at the first look, and when the number has shrunk (the daemon has restarted).
  perSecond(key, value, at) {
    const now = { value: Number(value ?? 0), at };
    const before = this.#before.get(key);
    this.#before.set(key, now);
    if (!before || now.value < before.value || at <= before.at) return undefined;
    return (now.value - before.value) / ((at - before.at) / 1000);
  }

  forget() {
    this.#before.clear();
  }
}
