// Streams as the control address tells them, with whatever a test wants different.

export function lane(differing = {}) {
  return {
    state: 'RECEIVING',
    waiting_for: 'SENDER',
    state_for: '2.500s',
    messages: '3',
    bytes: '300',
    sender_wait: '2.500s',
    receiver_wait: '0s',
    ...differing,
  };
}

export function stream(id, differing = {}) {
  return {
    id: String(id),
    method: '/orders.v1.Orders/Watch',
    downstream_peer: `ipv4:127.0.0.1:${40000 + id}`,
    started: '2026-11-22T09:00:00Z',
    age: '12.345s',
    thread_kind: 'USER',
    attempts: 1,
    answered: true,
    to_upstream: lane(),
    to_downstream: lane(),
    ...differing,
  };
}

// Its application does not read.
export function stuckStream(id, lasted = '31.400s', differing = {}) {
  return stream(id, {
    to_downstream: lane({ state: 'SENDING', waiting_for: 'RECEIVER', state_for: lasted }),
    stall: { kind: 'SLOW_RECEIVER', direction: 'TO_DOWNSTREAM', lasted },
    ...differing,
  });
}
