// The rows of the streams on this page, in the order asked for.
import { seconds } from './page_format.js';
import { StreamRow } from './page_row.js';

const orders = {
  stuck: (a, b) => seconds(b.stall?.lasted) - seconds(a.stall?.lasted) || a.id - b.id,
  oldest: (a, b) => a.id - b.id,
  newest: (a, b) => b.id - a.id,
  messages: (a, b) => messages(b) - messages(a) || a.id - b.id,
};

function messages({ to_upstream: up, to_downstream: down }) {
  return Number(up?.messages ?? 0) + Number(down?.messages ?? 0);
}

// A daemon that was restarted counts from 1 again.
function key(stream) {
  return `${stream.id} ${stream.method} ${stream.downstream_peer}`;
}

export class StreamTable {
  #body;
  #askCancel;
  #focusLost;
  #rows = new Map(); // by key

  // focusLost(): the stream whose button had the focus is no longer shown.
  constructor(body, askCancel, focusLost) {
    this.#body = body;
    this.#askCancel = askCancel;
    this.#focusLost = focusLost;
  }

  show(streams, order, at) {
    const rows = [...streams].sort(orders[order]).map((stream) => {
      const row = this.#rows.get(key(stream)) ?? new StreamRow(stream, this.#askCancel);
      row.show(stream, at);
      return row;
    });
    this.#rows = new Map(rows.map((row) => [key(row.stream), row]));
    this.#removeAllBut(new Set(rows.map((row) => row.element)));
    this.#arrange(rows.map((row) => row.element));
  }

  sort(order) {
    this.#arrange(
      [...this.#rows.values()]
        .sort((a, b) => orders[order](a.stream, b.stream))
        .map((row) => row.element),
    );
  }

  #removeAllBut(wanted) {
    for (const row of [...this.#body.children]) {
      if (wanted.has(row)) continue;
      const focused = row.contains(document.activeElement);
      row.remove();
      if (focused) this.#focusLost();
    }
  }

  // A node that is moved loses focus and selection, so the others move around the one that has it.
  #arrange(rows) {
    if (rows.length === 0) return;
    const focused = rows.findIndex((row) => row.contains(document.activeElement));
    const fixed = Math.max(0, focused < 0 ? rows.findIndex(isSelected) : focused);
    if (!rows[fixed].isConnected) this.#body.prepend(rows[fixed]);
    for (let at = fixed - 1; at >= 0; at -= 1) {
      if (rows[at].nextSibling !== rows[at + 1]) this.#body.insertBefore(rows[at], rows[at + 1]);
    }
    for (let at = fixed + 1; at < rows.length; at += 1) {
      if (rows[at].previousSibling !== rows[at - 1]) rows[at - 1].after(rows[at]);
    }
  }
}

function isSelected(row) {
  const selection = document.getSelection();
  return !selection.isCollapsed && row.contains(selection.anchorNode);
}
