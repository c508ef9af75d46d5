// The picture of N downstream connections that share M upstream connections.
import { setAttribute, svg } from './page_dom.js';
import { count, counted } from './page_format.js';

const MOST_LINES = 12;
const MIDDLE = 40; // of the lines, in the picture's 300 x 116

export class Fan {
  #picture;

  constructor(picture) {
    this.#picture = picture;
  }

  show(downstream, upstream) {
    const words = `${counted(downstream, 'downstream connection')} over ${counted(
      upstream,
      'upstream connection',
    )}`;
    if (this.#picture.getAttribute('aria-label') === words) return;
    setAttribute(this.#picture, 'aria-label', words);
    this.#picture.replaceChildren(
      ...lines(Number(downstream), 34, 104),
      ...lines(Number(upstream), 266, 196),
      svg('rect', { class: 'keeper', x: 104, y: MIDDLE - 16, width: 92, height: 32, rx: 6 }),
      label(150, MIDDLE + 4, 'keeper-name', 'lanekeeper'),
      label(4, 97, 'count', count(downstream)),
      label(4, 111, 'side', noun('downstream', downstream)),
      label(296, 97, 'count end', count(upstream)),
      label(296, 111, 'side end', noun('upstream', upstream)),
    );
  }
}

// From connections in a column at `from` to the keeper at `to`.
function lines(number, from, to) {
  const drawn = Math.min(number, MOST_LINES);
  return Array.from({ length: drawn }, (_, index) => {
    const spread = drawn === 1 ? 0 : (index / (drawn - 1) - 0.5) * 2;
    const y = MIDDLE + spread * 34;
    const end = MIDDLE + spread * 10;
    const half = (from + to) / 2;
    return svg(
      'g',
      {},
      svg('path', { class: 'wire', d: `M${from} ${y}C${half} ${y} ${half} ${end} ${to} ${end}` }),
      svg('circle', { cx: from, cy: y, r: 2.6 }),
    );
  });
}

function noun(side, number) {
  return `${side} connection${Number(number) === 1 ? '' : 's'}`;
}

function label(x, y, kind, text) {
  return svg('text', { x, y, class: kind }, text);
}
