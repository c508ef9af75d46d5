// The live page: asks for totals and one page of streams about once a second, and shows them.
import { listStreams, Refused } from './page_api.js';
import { CancelDialog } from './page_cancel.js';
import { byId, setHidden, setText } from './page_dom.js';
import { Fan } from './page_fan.js';
import { Filter } from './page_filter.js';
import { count, counted } from './page_format.js';
import { listenForKeys } from './page_keys.js';
import { showLegend } from './page_legend.js';
import { Overview } from './page_overview.js';
import { Poll } from './page_poll.js';
import { StuckSummary } from './page_stuck.js';
import { StreamTable } from './page_table.js';

const PAGE_SIZE = 200;

const overview = new Overview();
const fan = new Fan(byId('fan'));
const cancel = new CancelDialog((sentence) => {
  setText(byId('result'), sentence);
  poll.now();
});
const table = new StreamTable(
  byId('streams'),
  (stream) => cancel.ask(stream),
  () => byId('streams-heading').focus({ preventScroll: true }),
);
const filter = new Filter(byId('filter'), byId('sort'), filterChanged);
const stuck = new StuckSummary((method) => filter.showStuck(method));
const poll = new Poll(look);

let pages = ['']; // the tokens that lead to the page shown
let nextToken = '';
let asked = JSON.stringify(filter.query);
let unreachableSince;

async function look(signal) {
  try {
    const [answer, stalled] = await fetchAll(signal);
    reached();
    show(answer, stalled);
  } catch (error) {
    if (!signal.aborted) failed(error);
  }
}

async function fetchAll(signal) {
  const answer = await listStreams(
    { ...filter.query, page_size: PAGE_SIZE, page_token: pages.at(-1) },
    signal,
  );
  const anyStuck = Number(answer.totals?.streams_stuck) > 0;
  const stalled = anyStuck
    ? await listStreams({ stuck: true, page_size: PAGE_SIZE }, signal)
    : { streams: [] };
  return [answer, stalled.streams ?? []];
}

function show({ streams = [], next_page_token: token = '', totals = {} }, stalled) {
  const at = performance.now();
  overview.show(totals, at);
  fan.show(totals.downstream_connections ?? 0, totals.upstream_connections ?? 0);
  stuck.show(stalled, Number(totals.streams_stuck ?? 0), totals.streams_open ?? 0);
  document.title = title(totals);
  document.body.classList.toggle('read-only', totals.read_only === true);
  table.show(streams, filter.sort, at);
  nextToken = token;
  showPage(streams.length, Number(totals.streams_matching ?? 0));
  // All of a later page may have ended.
  if (streams.length === 0 && pages.length > 1) turnTo(pages.slice(0, -1));
}

function title(totals) {
  const number = Number(totals.streams_stuck ?? 0);
  return number > 0 ? `(${number} stuck) lanekeeper` : 'lanekeeper';
}

function showPage(shown, matching) {
  const what = filter.isSet ? 'match the filter' : 'are open';
  setText(
    byId('caption'),
    shown < matching
      ? `${count(shown)} of ${count(matching)} streams that ${what}; sorted among these ${count(shown)}`
      : counted(matching, filter.isSet ? 'matching stream' : 'open stream'),
  );
  setHidden(byId('empty'), shown > 0);
  setText(
    byId('empty'),
    filter.isSet ? 'No open stream matches the filter.' : 'No streams are open.',
  );
  setText(byId('page-number'), `Page ${pages.length}`);
  enablePaging(byId('previous'), pages.length > 1, byId('next'));
  enablePaging(byId('next'), nextToken !== '', byId('previous'));
}

// The focus must not stay on a button that can no longer be pressed.
function enablePaging(button, enabled, other) {
  const focused = document.activeElement === button;
  button.disabled = !enabled;
  if (focused && !enabled) other.focus();
}

function turnTo(tokens) {
  pages = tokens;
  nextToken = '';
  poll.now();
}

function filterChanged() {
  table.sort(filter.sort);
  const wanted = JSON.stringify(filter.query);
  if (wanted === asked) return;
  asked = wanted;
  turnTo(['']);
}

function failed(error) {
  document.body.classList.add('stale');
  if (error instanceof Refused) {
    tellUnreachable(`lanekeeper answers with an error: ${error.message}`);
    return;
  }
  unreachableSince ??= new Date().toLocaleTimeString();
  tellUnreachable(
    `lanekeeper cannot be reached since ${unreachableSince}. What stands here is from then. ` +
      'This page keeps trying.',
  );
  overview.forget();
}

function tellUnreachable(sentence) {
  setText(byId('unreachable'), sentence);
  setHidden(byId('unreachable'), false);
  showUpdates();
}

function reached() {
  if (unreachableSince) setText(byId('result'), 'lanekeeper can be reached again.');
  unreachableSince = undefined;
  document.body.classList.remove('stale');
  setHidden(byId('unreachable'), true);
  showUpdates();
}

function showUpdates() {
  const stale = document.body.classList.contains('stale');
  setText(byId('updates'), poll.paused ? 'paused' : stale ? 'no answer' : 'live');
  setText(byId('pause'), poll.paused ? 'Resume' : 'Pause');
  document.body.classList.toggle('paused', poll.paused);
}

function pauseOrResume() {
  poll.paused = !poll.paused;
  showUpdates();
}

byId('pause').addEventListener('click', pauseOrResume);
byId('previous').addEventListener('click', () => turnTo(pages.slice(0, -1)));
byId('next').addEventListener('click', () => {
  if (nextToken) turnTo([...pages, nextToken]);
});
listenForKeys(() => byId('shortcuts').checked, { '/': () => filter.focus(), p: pauseOrResume });
showLegend(byId('legend'));
poll.run();
