// A client that retries by gRPC's own policy, and what the server saw of its attempts.
'use strict';

const { unary, check, checkStatus, checkValues, Client } = require('./support');
const { grpc } = require('./shared');

const MAX_ATTEMPTS = 4;
const PUSHBACK_MS = 400;  // far more than the policy's backoff
const serviceConfig = {
  methodConfig: [{
    name: [{ service: 'lanekeeper.tests.Echo' }],
    retryPolicy: {
      maxAttempts: MAX_ATTEMPTS, initialBackoff: '0.01s', maxBackoff: '0.05s',
      backoffMultiplier: 2, retryableStatusCodes: ['UNAVAILABLE'],
    },
  }],
};

// Another channel to the same target, with the policy.
async function withRetries(client, body) {
  const other = new Client(client.target, { 'grpc.service_config': JSON.stringify(serviceConfig) });
  try {
    return await body(other.echo);
  } finally {
    other.close();
  }
}

// UNAVAILABLE, trailers only, for the first attempts.
function script(fail_attempts, pushbackMs) {
  return {
    status_code: grpc.status.UNAVAILABLE,
    status_message: 'not yet',
    fail_attempts,
    trailing_metadata: pushbackMs === undefined ? [] :
      [{ key: 'grpc-retry-pushback-ms', value: Buffer.from(String(pushbackMs)) }],
  };
}

async function checkAttempts(client, id, want) {
  const { previous_attempts: got } = await client.journal(id);
  check(JSON.stringify(got) === JSON.stringify(want),
    `the attempts' grpc-previous-rpc-attempts: got [${got}], want [${want}]`);
}

async function checkFails(client, script, attempts) {
  const [metadata, id] = client.callId();
  const end = await withRetries(client, (echo) => unary(echo, 'Unary', { script }, { metadata }).ended);
  checkStatus(end, grpc.status.UNAVAILABLE, 'not yet');
  await checkAttempts(client, id, attempts);
  return end;
}

async function retry_trailers_only(client) {
  const request = { script: script(2), payload: Buffer.from('again') };
  await withRetries(client, async (echo) => {
    let [metadata, id] = client.callId();
    const { response } = await unary(echo, 'Unary', request, { metadata }).succeeded();
    check(response.payload.toString() === 'again', `Unary: got ${JSON.stringify(response)}`);
    await checkAttempts(client, id, ['', '1', '2']);

    // All of the requests are sent again.
    [metadata, id] = client.callId();
    const up = unary(echo, 'ClientStream', null, { metadata });
    for (let i = 0; i < 3; i++) up.call.write(request);
    up.call.end();
    const { response: total } = await up.succeeded();
    check(total.messages === 3 && total.bytes === 15, `ClientStream: got ${JSON.stringify(total)}`);
    await checkAttempts(client, id, ['', '1', '2']);
  });
}

async function retry_until_attempts_are_used_up(client) {
  await checkFails(client, script(MAX_ATTEMPTS), ['', '1', '2', '3']);
}

async function retry_after_pushback(client) {
  const [metadata, id] = client.callId();
  const request = { script: script(1, PUSHBACK_MS) };
  const begin = process.hrtime.bigint();
  await withRetries(client, (echo) => unary(echo, 'Unary', request, { metadata }).succeeded());
  const took = Number(process.hrtime.bigint() - begin) / 1e6;
  // Node's timers may fire a millisecond early.
  check(took >= PUSHBACK_MS - 2, `retried after ${took} ms, want ${PUSHBACK_MS}`);
  await checkAttempts(client, id, ['', '1']);
}

async function retry_forbidden_by_pushback(client) {
  await checkFails(client, script(2, -1), ['']);
}

// Headers commit a call, so an error that comes after them must not look trailers-only.
async function no_retry_after_headers(client) {
  const late = { ...script(2), headers_at_once: true,
    initial_metadata: [{ key: 'early', value: Buffer.from('yes') }] };
  const end = await checkFails(client, late, ['']);
  checkValues('initial metadata', end.header, 'early', ['yes']);
}

module.exports = {
  retry_trailers_only,
  retry_until_attempts_are_used_up,
  retry_after_pushback,
  retry_forbidden_by_pushback,
  no_retry_after_headers,
};
