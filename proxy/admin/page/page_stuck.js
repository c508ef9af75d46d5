// The answer to the first question: is anything stuck, where, and who waits for whom. Streams that
// are stuck for the same reason in the same method are told in one line.
import { byId, element, setHidden, setText } from './page_dom.js';
import { count, counted, duration, seconds } from './page_format.js';
import { capitalized, stallCause, stallDirection } from './page_words.js';

const MOST_GROUPS = 4;

export class StuckSummary {
  #verdict = byId('verdict-text');
  #list = byId('stuck-groups');
  #all = byId('stuck-all');
  #showMethod;
  #lines = new Map(); // of the groups shown, by key

  // showMethod(method): somebody wants to see its stuck streams, or with '' all of them.
  constructor(showMethod) {
    this.#showMethod = showMethod;
    this.#all.addEventListener('click', () => showMethod(''));
  }

  // `stuck`: those streams that are, or as many as were asked for; `total`: of all.
  show(stuck, total, open) {
    const words = { 0: 'Nothing is stuck', 1: '1 stream is stuck' };
    setText(
      this.#verdict,
      Number(open) === 0
        ? 'No streams are open'
        : (words[total] ?? `${count(total)} streams are stuck`),
    );
    this.#verdict.classList.toggle('bad', total > 0);
    this.#verdict.classList.toggle('good', total === 0 && Number(open) > 0);
    const groups = groupsOf(stuck);
    this.#showGroups(groups.slice(0, MOST_GROUPS));
    setHidden(this.#all, groups.length <= MOST_GROUPS);
    setText(this.#all, `Show all ${count(total)} stuck streams`);
  }

  #showGroups(groups) {
    const keys = new Set(groups.map((group) => group.key));
    for (const [key, line] of this.#lines) {
      if (keys.has(key)) continue;
      line.item.remove();
      this.#lines.delete(key);
    }
    groups.forEach((group, place) => {
      const line = this.#lines.get(group.key) ?? this.#addLine(group);
      setText(line.longest, duration(group.longest.lasted));
      setText(line.streams, counted(group.streams, 'stream'));
      // A line that has the focus would lose it by being moved.
      if (
        this.#list.children[place] !== line.item &&
        !this.#list.contains(document.activeElement)
      ) {
        this.#list.insertBefore(line.item, this.#list.children[place] ?? null);
      }
    });
  }

  #addLine(group) {
    const longest = element('strong');
    const streams = element('span');
    const show = element(
      'button',
      { type: 'button', class: 'link', 'aria-label': `Show the stuck streams of ${group.method}` },
      'Show',
    );
    show.addEventListener('click', () => this.#showMethod(group.method));
    const item = element(
      'li',
      {},
      longest,
      ' ',
      element(
        'span',
        {},
        `${capitalized(group.cause)} (${group.direction}). `,
        element(
          'span',
          { class: 'where' },
          streams,
          ' of ',
          element('code', {}, group.method),
          ' ',
          show,
        ),
      ),
    );
    const line = { item, longest, streams };
    this.#lines.set(group.key, line);
    this.#list.append(item);
    return line;
  }
}

// The group that has been stuck longest first.
function groupsOf(stuck) {
  const groups = new Map();
  for (const { method, stall } of stuck) {
    if (!stall) continue; // it has moved since it was chosen
    const key = `${stall.kind} ${stall.direction} ${method}`;
    const group = groups.get(key) ?? {
      key,
      method,
      cause: stallCause(stall),
      direction: stallDirection(stall),
      streams: 0,
      longest: stall,
    };
    group.streams += 1;
    if (seconds(stall.lasted) > seconds(group.longest.lasted)) group.longest = stall;
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => seconds(b.longest.lasted) - seconds(a.longest.lasted));
}
