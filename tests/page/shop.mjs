// A shop's sidecar in the middle of its day, for screenshots: most lanes move or wait, one
// application process does not read, and one stream waits for a slot.
import { lane, stream, stuckStream } from './streams.mjs';

export const shopTotals = { downstream_connections: '50', upstream_connections: '1' };

// After so many seconds.
export function shopStreams(seconds) {
  const since = (start) => `${(start + seconds).toFixed(3)}s`;
  const moved = (start, perSecond, bytesEach) => {
    const messages = start + Math.floor(perSecond * seconds);
    return { messages: String(messages), bytes: String(messages * bytesEach), state_for: '0.020s' };
  };
  return [
    stream(1180, {
      method: '/shop.orders.v1.Orders/Watch',
      age: since(7391),
      downstream_peer: 'ipv4:127.0.0.1:40112',
      to_upstream: lane({
        state: 'HALF_CLOSED',
        waiting_for: 'NOBODY',
        messages: '1',
        bytes: '42',
        state_for: since(7391),
      }),
      to_downstream: lane(moved(88_012, 41, 310)),
    }),
    stuckStream(1191, since(31), {
      method: '/shop.orders.v1.Orders/Watch',
      age: since(412),
      downstream_peer: 'ipv4:127.0.0.1:40126',
      to_upstream: lane({
        state: 'HALF_CLOSED',
        waiting_for: 'NOBODY',
        messages: '1',
        bytes: '42',
        state_for: since(412),
      }),
      to_downstream: lane({
        state: 'SENDING',
        waiting_for: 'RECEIVER',
        state_for: since(31),
        messages: '5120',
        bytes: '1587200',
      }),
    }),
    stream(1202, {
      method: '/shop.chat.v1.Support/Talk',
      age: since(184),
      downstream_peer: 'unix:',
      to_upstream: lane({ messages: '12', bytes: '1260', state_for: since(9) }),
      to_downstream: lane({ messages: '14', bytes: '2210', state_for: since(4) }),
    }),
    stream(1203, {
      method: '/shop.media.v1.Photos/Upload',
      age: since(18),
      deadline_left: '101.000s',
      downstream_peer: 'ipv4:127.0.0.1:40131',
      to_upstream: lane(moved(96, 38, 65536)),
      to_downstream: lane({ messages: '0', bytes: '0', state_for: since(18) }),
    }),
    stream(1210, {
      method: '/shop.stock.v1.Stock/Reserve',
      age: since(3),
      deadline_left: '6.900s',
      attempts: 2,
      answered: false,
      downstream_peer: 'ipv4:127.0.0.1:40140',
      to_upstream: lane({
        state: 'WAITING',
        waiting_for: 'STREAM_SLOT',
        messages: '0',
        bytes: '0',
        state_for: since(3),
      }),
      to_downstream: lane({
        state: 'WAITING',
        waiting_for: 'STREAM_SLOT',
        messages: '0',
        bytes: '0',
        state_for: since(3),
      }),
      stall: { kind: 'STREAM_SLOTS', direction: 'TO_UPSTREAM', lasted: since(3) },
    }),
    stream(1213, {
      method: '/shop.prices.v1.Prices/Follow',
      age: since(2),
      downstream_peer: 'ipv4:127.0.0.1:40142',
      to_upstream: lane({
        state: 'SENDING',
        waiting_for: 'RECEIVER',
        messages: '220',
        bytes: '70400',
        state_for: '0.300s',
      }),
      to_downstream: lane(moved(410, 206, 96)),
    }),
  ];
}

export function shopCounters(seconds) {
  const of = (start, perSecond) => String(start + Math.round(perSecond * seconds));
  return {
    rpcs_started: of(1_930_221, 212),
    messages_to_upstream: of(7_403_118, 1840),
    messages_to_downstream: of(19_220_407, 5310),
    bytes_to_upstream: of(9e9, 2_610_000),
    bytes_to_downstream: of(3e10, 1_920_000),
  };
}
