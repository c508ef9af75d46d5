// The numbers of the whole process.
import { byId, setAttribute, setHidden, setText } from './page_dom.js';
import { bytes, count, counted, rate } from './page_format.js';
import { Rates } from './page_rates.js';

const states = {
  idle: 'not connected yet',
  connecting: 'connecting',
  ready: 'connected',
  transient_failure: 'cannot be reached',
};

export class Overview {
  #rates = new Rates();

  show(totals, at) {
    setText(byId('upstream-address'), totals.upstream_address ?? '');
    setText(byId('upstream-state'), states[totals.upstream_state] ?? totals.upstream_state ?? '');
    setAttribute(byId('upstream-state'), 'data-state', totals.upstream_state ?? '');
    setText(byId('open'), count(totals.streams_open));
    setText(byId('half-closed'), count(totals.streams_half_closed));
    setText(byId('awaiting'), count(totals.streams_awaiting_upstream));

    const perSecond = (key) => this.#rates.perSecond(key, totals[key], at);
    showRate('rpc-rate', perSecond('rpcs_started'), rate);
    showRate('messages-up', perSecond('messages_to_upstream'), messages);
    showRate('bytes-up', perSecond('bytes_to_upstream'), bytes);
    showRate('messages-down', perSecond('messages_to_downstream'), messages);
    showRate('bytes-down', perSecond('bytes_to_downstream'), bytes);
    showDraining(totals);
  }

  // Of a daemon that could not be reached for a while, the first rates would be of all that time.
  forget() {
    this.#rates.forget();
  }
}

const messages = (perSecond) => `${rate(perSecond)} msg`;

function showRate(id, perSecond, format) {
  setText(byId(id), perSecond === undefined ? '–' : `${format(perSecond)}/s`);
}

function showDraining(totals) {
  setHidden(byId('draining'), !totals.draining);
  const open = counted(totals.streams_open, 'open stream');
  setText(
    byId('draining'),
    totals.draining
      ? `lanekeeper is draining: it takes no new RPCs, and ends when its ${open} have finished.`
      : '',
  );
}
