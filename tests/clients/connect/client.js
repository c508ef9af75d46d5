// connect-node's client with its gRPC transport. usage: client.js HOST:PORT [CASE...]
// The cases are those of ../node/client.js, where this library can have them.
'use strict';

const { Code, decodeBinaryHeader, encodeBinaryHeader } = require('@connectrpc/connect');
const { services, encode, pattern, check, runCases } = require('./shared');
const { Client, RPC_TIMEOUT_MS, bidi, failure, checkError, checkPayload, checkStream, checkValues } =
  require('./support');

const SPECIAL_MESSAGE = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';

async function* repeat(count, request) {
  for (let i = 0; i < count; i++) yield request;
}

async function hello_world(client) {
  const { message } = await client.greeter.sayHello({ name: 'world' });
  check(message === 'Hello world', `got ${message}`);
}

async function large_unary(client) {
  const request = { payload: pattern(271828), responseBytes: 314159 };
  checkPayload(await client.echo.unary(request), 314159);
}

async function message_5mib(client) {
  const size = 5 << 20;
  // No response_bytes: the request's own bytes come back.
  checkPayload(await client.echo.unary({ payload: pattern(size) }), size);
}

// Half-closes without a message.
async function empty_stream(client) {
  const total = await client.echo.clientStream(repeat(0));
  check(total.messages === 0 && total.bytes === 0n, `ClientStream: got ${total.messages} messages`);

  const [headers, id] = client.callId();
  await checkStream(client.echo.bidi(repeat(0), { headers }), 0);
  const entry = await client.journal(id);
  check(entry.halfClosed && entry.messages === 0,
    `Bidi: the server saw half-close ${entry.halfClosed}, ${entry.messages} messages`);
}

// Never more than one message under way.
async function ping_pong(client, rounds = 40) {
  const ups = [27182, 8, 1828, 45904];
  const downs = [31415, 9, 2653, 58979];
  const rpc = bidi(client);
  for (let i = 0; i < rounds; i++) {
    rpc.send({ payload: pattern(ups[i % 4]), responseBytes: downs[i % 4] });
    const got = await rpc.next();
    check(got && got.index === i, `round ${i}: got response ${got && got.index}`);
    checkPayload(got, downs[i % 4]);
  }
  rpc.close();
  check(await rpc.next() === undefined, 'a response too many');
}

async function half_close_then_long_stream(client) {
  const request = { script: { responseCount: 200 }, responseBytes: 1000 };
  // One answer to the message, then those that come after the half-close.
  await checkStream(client.echo.bidi(repeat(1, request)), 201, 1000);
}

// 100 RPCs of all kinds open at once; their delays make them end out of order.
async function many_parallel(client) {
  await Promise.all(Array.from({ length: 100 }, (_, i) => oneOfMany(client, i)));
}

async function oneOfMany(client, i) {
  const script = { delayMs: i % 7 * 10, responseCount: 10 };
  const size = 100 + i;
  const request = { script, responseBytes: size };
  switch (i % 4) {
    case 0:
      checkPayload(await client.echo.unary(request), size);
      break;
    case 1:
      await checkStream(client.echo.serverStream(request), 10, size);
      break;
    case 2: {
      const got = await client.echo.clientStream(repeat(10, { script, payload: pattern(size) }));
      check(got.messages === 10 && got.bytes === BigInt(10 * size), `got ${got.messages}, ${got.bytes}`);
      break;
    }
    default:
      await ping_pong(client, 10);
  }
}

// Repeated values are joined, as this library keeps metadata in fetch's Headers. It splits -bin values
// that come so; grpc-go 1.33 does not, so none of these go up.
async function metadata_roundtrip(client) {
  const values = {
    'one': ['a value with spaces, a comma and ~!@#$%^&*()'],
    'repeated': ['first', 'second', 'third'],
    'one-bin': [Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
    'repeated-bin': [Buffer.from([0]), Buffer.from([0xff, 0xfe]), Buffer.from('three')],
  };
  const each = Object.entries(values).flatMap(([key, several]) =>
    several.map((value) => [key, value]));
  const entries = (prefix) =>
    each.map(([key, value]) => ({ key: prefix + key, value: Buffer.from(value) }));
  const [{ 'call-id': id }] = client.callId();
  const headers = new Headers({ 'call-id': id });
  for (const [key, value] of each.filter(([key]) => key !== 'repeated-bin')) {
    headers.append(`up-${key}`, key.endsWith('-bin') ? encodeBinaryHeader(value) : value);
  }
  const script = { initialMetadata: entries('down-'), trailingMetadata: entries('end-') };
  const got = {};
  await client.echo.unary({ script }, {
    headers,
    onHeader: (header) => { got['down-'] = header; },
    onTrailer: (trailer) => { got['end-'] = trailer; },
  });
  const { metadata } = await client.journal(id);
  for (const [key, want] of Object.entries(values)) {
    const seen = metadata.filter((entry) => entry.key === `up-${key}`).map(({ value }) => value);
    checkValues('at the server', key, seen, key === 'repeated-bin' ? [] : want);
    for (const prefix of ['down-', 'end-']) {
      const value = got[prefix].get(prefix + key);
      check(value !== null, `no ${prefix}${key}`);
      checkValues(prefix, key,
        key.endsWith('-bin') ? value.split(',').map((part) => decodeBinaryHeader(part)) : [value], want);
    }
  }
}

async function status_code_and_message(client) {
  for (let code = 1; code <= 16; code++) {
    for (const message of [SPECIAL_MESSAGE, '50% of /a;b %41']) {
      const script = { statusCode: code, statusMessage: message, endAfter: 1 };
      checkError(await failure(client.echo.unary({ script })), code, message);
      // The status comes after a message.
      const rpc = bidi(client);
      rpc.send({ script });
      check(await rpc.next(), 'Bidi: no message');
      checkError(await failure(rpc.next()), code, message);
    }
  }
}

async function status_details(client) {
  const detail = { typeUrl: 'type.example/any', value: pattern(200) };
  const code = Code.ResourceExhausted;
  const statusDetails = encode('RichStatus', { code, message: 'rich', details: [detail] });
  const script = { statusCode: code, statusMessage: 'rich', statusDetails };
  const error = await failure(client.echo.unary({ script }));
  checkError(error, code, 'rich');
  const [got, ...more] = error.details;
  check(got && more.length === 0, `${error.details.length} details`);
  check(got.type === 'any' && pattern(200).equals(got.value), `wrong detail, of type ${got.type}`);
}

async function trailers_only_error(client) {
  const trailingMetadata = [{ key: 'why', value: Buffer.from('because') }];
  const script = { statusCode: Code.NotFound, statusMessage: 'nothing here', trailingMetadata };
  const error = await failure(client.echo.unary({ script }));
  checkError(error, Code.NotFound, 'nothing here');
  check(error.metadata.get('why') === 'because', `trailer why: ${error.metadata.get('why')}`);
}

async function unimplemented_method(client) {
  const method = services.Echo.method.unary;
  for (const unknown of [{ ...method, name: 'NoSuchMethod' },
    { ...method, parent: { ...method.parent, typeName: 'no.such.Service' } }]) {
    const call = client.transport.unary(unknown, undefined, RPC_TIMEOUT_MS, undefined, {});
    checkError(await failure(call), Code.Unimplemented);
  }
}

async function deadline_seen_by_server(client) {
  let [headers, id] = client.callId();
  await client.echo.unary({}, { headers, timeoutMs: 10000 });
  let left = (await client.journal(id)).deadlineMs;
  // Upwards only the rounding of grpc-timeout; downwards a machine under load.
  check(left >= 5000 && left <= 10200, `the server had ${left} ms left of 10 s`);

  [headers, id] = client.callId();
  await client.echo.unary({}, { headers, timeoutMs: 0 });
  left = (await client.journal(id)).deadlineMs;
  check(left === -1n, `the server saw a deadline of ${left} ms where there was none`);
}

async function deadline_exceeded(client) {
  const blocked = { script: { blockUntilCancelled: true } };
  let [headers, id] = client.callId();
  const error = await failure(client.echo.unary(blocked, { headers, timeoutMs: 300 }));
  checkError(error, Code.DeadlineExceeded);
  await client.awaitCancelled(id);

  [headers, id] = client.callId();
  const rpc = bidi(client, { headers, timeoutMs: 300 });
  rpc.send(blocked);
  checkError(await failure(rpc.next()), Code.DeadlineExceeded);
  await client.awaitCancelled(id);
}

// The server has work left for after a half-close, which Node's http2 sends before the reset.
async function cancel_mid_stream(client) {
  const request = { script: { responseCount: 1000000 }, responseBytes: 100 };
  let [headers, id] = client.callId();
  let cancel = new AbortController();
  const both = bidi(client, { headers, signal: cancel.signal });
  for (let i = 0; i < 3; i++) {
    both.send(request);
    check(await both.next(), `Bidi: no response ${i}`);
  }
  cancel.abort();
  checkError(await failure(both.next()), Code.Canceled);
  await client.awaitCancelled(id);

  // The server is sending.
  [headers, id] = client.callId();
  cancel = new AbortController();
  let received = 0;
  const down = async () => {
    for await (const _ of client.echo.serverStream(request, { headers, signal: cancel.signal })) {
      if (++received === 3) cancel.abort();
    }
  };
  checkError(await failure(down()), Code.Canceled);
  await client.awaitCancelled(id);
}

async function main() {
  const [target, ...wanted] = process.argv.slice(2);
  const client = new Client(target);
  await runCases({
    hello_world,
    large_unary,
    message_5mib,
    empty_stream,
    ping_pong,
    half_close_then_long_stream,
    many_parallel,
    metadata_roundtrip,
    status_code_and_message,
    status_details,
    trailers_only_error,
    unimplemented_method,
    deadline_seen_by_server,
    deadline_exceeded,
    cancel_mid_stream,
  }, wanted, client);
  client.session.abort();
}

main();
