// One lane, drawn: the sender, lanekeeper and the receiver, and what goes on between them. The
// application is always on the left, the upstream always on the right. page_streams.css paints it
// after data-wait (who is waited for) and data-flow (moving, complete, stuck).
import { element, setAttribute, setText, svg } from './page_dom.js';
import { bytes, count, rate } from './page_format.js';
import { awaited, laneSentence, laneState } from './page_words.js';

export class LaneView {
  #direction;
  #state = element('span', { class: 'state' });
  #amount = element('span', { class: 'amount' });

  constructor(direction) {
    this.#direction = direction;
    this.element = element(
      'div',
      { class: 'lane', role: 'img' },
      drawing(direction),
      this.#state,
      this.#amount,
    );
  }

  // `movedPerSecond`: messages, 0 when none has moved since the last look.
  show(lane, stuck, movedPerSecond) {
    const moved = movedPerSecond > 0 ? rate(movedPerSecond) : '';
    const complete = lane.state === 'HALF_CLOSED';
    const flow = stuck ? 'stuck' : complete ? 'complete' : moved ? 'moving' : 'waiting';
    setAttribute(this.element, 'data-flow', flow);
    setAttribute(this.element, 'data-wait', awaited(this.#direction, lane));
    setAttribute(this.element, 'aria-label', laneSentence(this.#direction, lane, moved));
    setText(this.#state, laneState(this.#direction, lane, moved));
    setText(this.#amount, `${count(lane.messages)} msg, ${bytes(lane.bytes)}`);
  }
}

// The sender is on the left of it; responses are the mirror image.
export function drawing(direction) {
  const mirrored =
    direction === 'to_downstream' ? { transform: 'translate(240 0) scale(-1 1)' } : {};
  return svg(
    'svg',
    { class: 'drawing', viewBox: '0 0 240 18', width: 240, height: 18, 'aria-hidden': 'true' },
    svg(
      'g',
      mirrored,
      svg('path', { class: 'from', d: 'M17 9H109' }),
      svg('path', { class: 'from tip', d: 'M105 5l4 4-4 4' }),
      svg('path', { class: 'to', d: 'M131 9H223' }),
      svg('path', { class: 'to tip', d: 'M219 5l4 4-4 4' }),
      svg('path', { class: 'stop', d: 'M173 3v12M178 3v12' }),
      svg('circle', { class: 'sender', cx: 10, cy: 9, r: 4 }),
      svg('rect', { class: 'keeper', x: 115, y: 4, width: 10, height: 10, rx: 2 }),
      svg('circle', { class: 'receiver', cx: 230, cy: 9, r: 4 }),
    ),
  );
}
