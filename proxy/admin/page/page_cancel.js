// The dialog that asks before it ends a stream, and tells what came of it.
import { cancelStream, Refused } from './page_api.js';
import { byId, setText } from './page_dom.js';

export class CancelDialog {
  #dialog = byId('cancel');
  #stream;
  #tell;

  // tell(sentence): how it went.
  constructor(tell) {
    this.#tell = tell;
    this.#dialog.addEventListener('close', () => {
      if (this.#dialog.returnValue === 'cancel')
        this.#cancel(this.#stream, byId('cancel-reason').value.trim());
    });
  }

  get isOpen() {
    return this.#dialog.open;
  }

  ask(stream) {
    this.#stream = stream;
    setText(byId('cancel-id'), stream.id);
    setText(byId('cancel-method'), stream.method);
    setText(byId('cancel-peer'), stream.downstream_peer);
    byId('cancel-reason').value = '';
    this.#dialog.returnValue = '';
    this.#dialog.showModal();
  }

  async #cancel({ id, method }, reason) {
    try {
      await cancelStream(id, reason);
      this.#tell(`Stream ${id} (${method}) was cancelled.`);
    } catch (error) {
      this.#tell(whyNot(error, id));
    }
  }
}

function whyNot(error, id) {
  if (!(error instanceof Refused))
    return `Stream ${id} was not cancelled: lanekeeper did not answer.`;
  if (error.status === 404) return `Stream ${id} had ended before.`;
  return `Stream ${id} was not cancelled: ${error.message}`;
}
