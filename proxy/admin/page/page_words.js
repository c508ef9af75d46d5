// What the states and stalls of the API mean, in sentences.
import { bytes, counted, duration } from './page_format.js';

const lanes = {
  to_upstream: { what: 'requests', sender: 'the application', receiver: 'the upstream' },
  to_downstream: { what: 'responses', sender: 'the upstream', receiver: 'the application' },
};

// Who is waited for in a lane: 'sender', 'receiver' or ''.
export function awaited(direction, lane) {
  switch (lane.waiting_for) {
    case 'SENDER':
      return 'sender';
    case 'RECEIVER':
      return 'receiver';
    case 'STREAM_SLOT':
    case 'CONNECTION':
    case 'CONNECTION_WINDOW':
      return direction === 'to_upstream' ? 'receiver' : 'sender';
    default:
      return '';
  }
}

function wait(direction, lane) {
  switch (lane.waiting_for) {
    case 'SENDER':
      return lanes[direction].sender;
    case 'RECEIVER':
      return lanes[direction].receiver;
    case 'STREAM_SLOT':
      return 'a stream slot';
    case 'CONNECTION':
      return 'a connection';
    case 'CONNECTION_WINDOW':
      return "room on the upstream's connection";
    case 'ADMISSION':
      return 'another RPC to end';
    default:
      return '';
  }
}

// Beside the drawing of a lane; `moved` is messages a second since the last look.
export function laneState(direction, lane, moved) {
  if (lane.state === 'HALF_CLOSED') return 'complete';
  if (moved) return `moving, ${moved}/s`;
  const whom = wait(direction, lane);
  return whom ? `waits for ${whom} ${duration(lane.state_for)}` : 'idle';
}

// The same for those who do not see the drawing.
export function laneSentence(direction, lane, moved) {
  const passed = `${counted(lane.messages, 'message')}, ${bytes(lane.bytes)}`;
  const { what, sender, receiver } = lanes[direction];
  if (lane.state === 'HALF_CLOSED') return `${what}: complete, ${passed}`;
  if (moved) return `${what}: moving, ${moved} a second, ${passed}`;
  const role = { SENDER: `the sender, ${sender},`, RECEIVER: `the receiver, ${receiver},` };
  const whom = role[lane.waiting_for] ?? wait(direction, lane);
  return whom
    ? `${what}: waiting for ${whom} for ${duration(lane.state_for)}, ${passed}`
    : `${what}: idle, ${passed}`;
}

export function stallDirection(stall) {
  return stall.direction === 'TO_UPSTREAM' ? 'to_upstream' : 'to_downstream';
}

// Who keeps whom waiting.
export function stallCause(stall) {
  const direction = stallDirection(stall);
  switch (stall.kind) {
    case 'SLOW_RECEIVER':
      return `${lanes[direction].receiver} does not read`;
    case 'SILENT_SENDER':
      return 'the upstream has the whole request and does not answer';
    case 'STREAM_SLOTS':
      return 'the upstream allows no further stream';
    case 'NOT_CONNECTED':
      return 'there is no connection to the upstream';
    case 'HALF_CLOSED':
      return 'the application has sent everything, and the upstream has sent nothing since';
    case 'UPSTREAM_WINDOW':
      return "the room on the upstream's connection is used up";
    default:
      return 'nothing moves';
  }
}

const silences = ['SILENT_SENDER', 'HALF_CLOSED'];

export function stallSentence(stall) {
  const cause = stallCause(stall) + heldBy(stall.window_holders ?? []);
  const effect = silences.includes(stall.kind) ? 'silent' : 'blocked';
  return `${cause}: ${stallDirection(stall)} ${effect} for ${duration(stall.lasted)}`;
}

// Which streams have used up the room on the upstream's connection.
function heldBy(ids) {
  return ids.length > 0 ? `, held by stream${ids.length > 1 ? 's' : ''} ${ids.join(', ')}` : '';
}

export function capitalized(sentence) {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
