// The form above the table. Its settings also stand in the address, so that they can be shared and
// outlive a reload.

const TYPING_PAUSE_MS = 250;

export class Filter {
  #form;
  #sort;
  #changed;
  #typing;

  // changed(): other streams are wanted.
  constructor(form, sort, changed) {
    this.#form = form;
    this.#sort = sort;
    this.#changed = changed;
    this.#fromAddress();
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#apply();
    });
    form.addEventListener('reset', () => setTimeout(() => this.#apply()));
    form.addEventListener('change', () => this.#apply());
    form.addEventListener('input', () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#apply(), TYPING_PAUSE_MS);
    });
  }

  // In the names of StreamFilter; empty or false where not set.
  get query() {
    const { method, peer, state, min_age: age, stuck } = this.#form.elements;
    return {
      method: method.value.trim(),
      peer: peer.value.trim(),
      state: state.value,
      min_age: age.valueAsNumber > 0 ? `${age.value}s` : '',
      stuck: stuck.checked,
    };
  }

  get isSet() {
    return Object.values(this.query).some(Boolean);
  }

  get sort() {
    return this.#sort.value;
  }

  showStuck(method) {
    this.#form.elements.method.value = method;
    this.#form.elements.stuck.checked = true;
    this.#apply();
  }

  focus() {
    this.#form.elements.method.focus();
    this.#form.elements.method.select();
  }

  #apply() {
    clearTimeout(this.#typing);
    const settings = { ...this.query, sort: this.sort === 'stuck' ? '' : this.sort };
    const set = Object.entries(settings).filter(([, value]) => value);
    history.replaceState(
      null,
      '',
      set.length ? `#${new URLSearchParams(set)}` : location.pathname + location.search,
    );
    this.#changed();
  }

  #fromAddress() {
    const settings = new URLSearchParams(location.hash.slice(1));
    const { method, peer, state, min_age: age, stuck } = this.#form.elements;
    method.value = settings.get('method') ?? '';
    peer.value = settings.get('peer') ?? '';
    age.value = (settings.get('min_age') ?? '').replace(/s$/, '');
    stuck.checked = settings.get('stuck') === 'true';
    choose(state, settings.get('state'));
    choose(this.#sort, settings.get('sort'));
  }
}

function choose(select, value) {
  if ([...select.options].some((option) => option.value === value)) select.value = value;
}
