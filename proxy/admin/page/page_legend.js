// What the drawings of lanes mean, shown with the drawings themselves.
import { element } from './page_dom.js';
import { drawing } from './page_lane.js';

const samples = [
  ['moving', '', 'messages move'],
  ['waiting', 'sender', 'waits for the sender’s next message'],
  ['waiting', 'receiver', 'has a message that the receiver does not take'],
  ['stuck', 'receiver', 'the same for so long that it is stuck'],
  ['complete', '', 'the sender has ended it'],
];

export function showLegend(list) {
  list.append(element('li', {}, 'Left: the application. Middle: lanekeeper. Right: the upstream.'));
  for (const [flow, wait, words] of samples) {
    const lane = element(
      'span',
      { class: 'lane', 'data-flow': flow, 'data-wait': wait },
      drawing('to_upstream'),
    );
    list.append(element('li', {}, lane, words));
  }
}
