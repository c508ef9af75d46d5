// One stream's row. It is built once and then only changed, so that focus and selection stay.
import { element, setHidden, setText } from './page_dom.js';
import { counted, duration, seconds } from './page_format.js';
import { LaneView } from './page_lane.js';
import { Rates } from './page_rates.js';
import { capitalized, stallDirection, stallSentence } from './page_words.js';

export class StreamRow {
  #rates = new Rates();
  #age = element('span', { class: 'age' });
  #deadline = element('span', { class: 'deadline' });
  #attempts = element('span', { class: 'attempts' });
  #toUpstream = new LaneView('to_upstream');
  #toDownstream = new LaneView('to_downstream');
  #stuck = element('span', { class: 'badge' }, 'stuck');
  #stall = element('p', { class: 'stall' });

  // askCancel(stream): somebody wants to end it.
  constructor(stream, askCancel) {
    this.stream = stream;
    const cancel = element(
      'button',
      { type: 'button', 'aria-label': `Cancel stream ${stream.id}` },
      'Cancel',
    );
    cancel.addEventListener('click', () => askCancel(this.stream));
    this.element = element(
      'tr',
      { role: 'row' },
      element(
        'th',
        { scope: 'row', role: 'rowheader', class: 'stream' },
        element('span', { class: 'method' }, stream.method),
        ' ',
        element(
          'span',
          { class: 'about' },
          this.#stuck,
          ' ',
          element('span', { class: 'id' }, `#${stream.id}`),
          ' ',
          element('span', { class: 'peer' }, stream.downstream_peer),
          ' ',
          this.#attempts,
        ),
      ),
      element('td', { role: 'cell', class: 'times' }, this.#age, ' ', this.#deadline),
      element(
        'td',
        { role: 'cell', class: 'lanes' },
        this.#toUpstream.element,
        this.#toDownstream.element,
        this.#stall,
      ),
      element('td', { role: 'cell', class: 'action' }, cancel),
    );
  }

  show(stream, at) {
    this.stream = stream;
    const { stall } = stream;
    setText(this.#age, duration(stream.age));
    setText(this.#deadline, deadline(stream.deadline_left));
    setText(this.#attempts, counted(stream.attempts ?? 1, 'attempt'));
    this.#attempts.classList.toggle('several', stream.attempts > 1);
    this.#showLane(this.#toUpstream, 'to_upstream', at);
    this.#showLane(this.#toDownstream, 'to_downstream', at);
    this.element.classList.toggle('stuck', Boolean(stall));
    setHidden(this.#stuck, !stall);
    setHidden(this.#stall, !stall);
    setText(this.#stall, stall ? `${capitalized(stallSentence(stall))}.` : '');
  }

  #showLane(view, direction, at) {
    const lane = this.stream[direction] ?? {};
    const stuck = Boolean(this.stream.stall) && stallDirection(this.stream.stall) === direction;
    view.show(lane, stuck, this.#rates.perSecond(direction, lane.messages, at));
  }
}

function deadline(left) {
  if (left === undefined) return 'no deadline';
  return seconds(left) > 0 ? `${duration(left)} left` : 'deadline passed';
}
