// The calls of the control address that this page makes. Addresses are relative, so that the page
// also works behind a port forward with a path of its own.

// Longer, and the daemon counts as unreachable.
const ANSWER_BOUND_MS = 5000;

// The daemon has answered, but with an error.
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(path, options = {}, signal = undefined) {
  const bound = AbortSignal.timeout(ANSWER_BOUND_MS);
  const answer = await fetch(path, {
    cache: 'no-store',
    ...options,
    signal: signal ? AbortSignal.any([signal, bound]) : bound,
  });
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  throw new Refused(answer.status, messageIn(text) || `HTTP status ${answer.status}`);
}

function messageIn(text) {
  try {
    const { message, error } = JSON.parse(text);
    return message ?? (typeof error === 'string' ? error : error?.message);
  } catch {
    return text.slice(0, 200);
  }
}

// `query` has the names of StreamFilter; what is empty is left out.
export function listStreams(query, signal) {
  const set = Object.entries(query).filter(([, value]) => value !== '' && value !== false);
  return request(`streams?${new URLSearchParams(set)}`, {}, signal);
}

export function cancelStream(id, reason) {
  return request(`streams/${encodeURIComponent(id)}/cancel`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ reason }),
  });
}
