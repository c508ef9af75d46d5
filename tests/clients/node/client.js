// The foreign client in Node. usage: client.js TARGET [CASE...] | client.js TARGET hold RPCS
// TARGET is HOST:PORT or unix:PATH. Prints "ok CASE" or "FAIL CASE: why" for each case.
'use strict';

const shared = require('./shared');
const { Stream, unary, check, checkStatus, checkPayload, checkStream, checkValues, Client,
  deadlineIn } = require('./support');
const retryCases = require('./retry_cases');
const { grpc, features, pattern } = shared;
const { status } = grpc;

const SPECIAL_MESSAGE = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';

// The tutorials' programs.

async function hello_world(client) {
  await hello(client, 'world');
}

async function hello(client, name) {
  const { response } = await unary(client.greeter, 'SayHello', { name }).succeeded();
  check(response.message === 'Hello ' + name, `got ${response.message}`);
}

async function route_guide(client) {
  await getFeature(client);
  await listFeatures(client);
  await recordRoute(client);
  await routeChat(client, 10);
}

async function getFeature(client) {
  const there = await unary(client.guide, 'GetFeature', features[7].location).succeeded();
  check(there.response.name === 'Feature 7', `GetFeature: got ${there.response.name}`);
  const place = { latitude: 1, longitude: 2 };
  const { response } = await unary(client.guide, 'GetFeature', place).succeeded();
  check(response.name === '' && response.location.latitude === 1 &&
    response.location.longitude === 2, `GetFeature nowhere: got ${JSON.stringify(response)}`);
}

async function listFeatures(client) {
  const rectangle = { lo: features[3].location, hi: features[17].location };
  const stream = Stream.down(client.guide, 'ListFeatures', rectangle);
  for (let i = 3; i <= 17; i++) {
    const feature = await stream.next();
    check(feature && feature.name === `Feature ${i}`, `ListFeatures: got ${feature} as ${i}`);
  }
  await stream.end();
}

async function recordRoute(client) {
  const route = [features[0].location, { latitude: 5, longitude: -5 },
    features[24].location, features[12].location];
  const distance = route.slice(1).reduce(
    (sum, point, i) => sum + shared.distance(route[i], point), 0);
  const call = unary(client.guide, 'RecordRoute', null);
  route.forEach((point) => call.call.write(point));
  call.call.end();
  const { response: got } = await call.succeeded();
  check(got.point_count === 4 && got.feature_count === 3 && got.distance === distance,
    `RecordRoute: got ${JSON.stringify(got)}, want 4 points, 3 features, distance ${distance}`);
}

// Writes notes at two places in turn and reads after each write what must come back.
async function routeChat(client, notes) {
  const stream = Stream.both(client.guide, 'RouteChat');
  for (let i = 0; i < notes; i++) {
    stream.call.write({ location: features[i % 2].location, message: `note ${i}` });
    for (let earlier = i % 2; earlier <= i; earlier += 2) {
      const got = await stream.next();
      check(got && got.message === `note ${earlier}`,
        `RouteChat, after note ${i}: got ${JSON.stringify(got)}`);
    }
  }
  stream.call.end();
  await stream.end();
}

// Two services at the same time over the one channel.
async function multiplex(client) {
  const greet = async () => {
    for (let i = 0; i < 40; i++) await hello(client, `number ${i}`);
  };
  await Promise.all([greet(), routeChat(client, 20)]);
}

// Messages of all sizes and orders.

async function empty_unary(client) {
  const { response } = await unary(client.echo, 'Unary', {}).succeeded();
  check(response.payload.length === 0 && response.index === 0, 'the response is not empty');
}

async function large_unary(client) {
  const request = { payload: pattern(271828), response_bytes: 314159 };
  checkPayload((await unary(client.echo, 'Unary', request).succeeded()).response, 314159);
}

async function message_5mib(client) {
  const size = 5 << 20;
  // No response_bytes: the request's own bytes come back.
  const request = { payload: pattern(size) };
  checkPayload((await unary(client.echo, 'Unary', request).succeeded()).response, size);
}

// Half-closes without a message.
async function empty_stream(client) {
  const up = unary(client.echo, 'ClientStream', null);
  up.call.end();
  const { response: total } = await up.succeeded();
  check(total.messages === 0 && total.bytes === 0, `ClientStream: got ${JSON.stringify(total)}`);

  const [metadata, id] = client.callId();
  const stream = Stream.both(client.echo, 'Bidi', { metadata });
  stream.call.end();
  await stream.end();
  const entry = await client.journal(id);
  check(entry.half_closed && entry.messages === 0,
    `Bidi: the server saw half-close ${entry.half_closed}, ${entry.messages} messages`);
}

// Never more than one message under way.
async function ping_pong(client) {
  await alternate(client, 40);
}

async function alternate(client, rounds) {
  const ups = [27182, 8, 1828, 45904];
  const downs = [31415, 9, 2653, 58979];
  const stream = Stream.both(client.echo, 'Bidi');
  for (let i = 0; i < rounds; i++) {
    stream.call.write({ payload: pattern(ups[i % 4]), response_bytes: downs[i % 4] });
    const got = await stream.next();
    check(got && got.index === i, `round ${i}: got response ${got && got.index}`);
    checkPayload(got, downs[i % 4]);
  }
  stream.call.end();
  await stream.end();
}

async function half_close_then_long_stream(client) {
  const stream = Stream.both(client.echo, 'Bidi');
  stream.call.write({ script: { response_count: 200 }, response_bytes: 1000 });
  stream.call.end();
  // One answer to the message, then those that come after the half-close.
  await checkStream(stream, 201, 1000);
}

// 100 RPCs of all kinds open at once; their delays make them end out of order.
async function many_parallel(client) {
  await Promise.all(Array.from({ length: 100 }, (_, i) => oneOfMany(client, i)));
}

async function oneOfMany(client, i) {
  const script = { delay_ms: i % 7 * 10, response_count: 10 };
  const size = 100 + i;
  const request = { script, response_bytes: size };
  switch (i % 4) {
    case 0:
      checkPayload((await unary(client.echo, 'Unary', request).succeeded()).response, size);
      break;
    case 1:
      await checkStream(Stream.down(client.echo, 'ServerStream', request), 10, size);
      break;
    case 2: {
      const up = unary(client.echo, 'ClientStream', null);
      for (let n = 0; n < 10; n++) up.call.write({ script, payload: pattern(size) });
      up.call.end();
      const { response } = await up.succeeded();
      check(response.messages === 10 && response.bytes === 10 * size,
        `got ${JSON.stringify(response)}`);
      break;
    }
    default:
      await alternate(client, 10);
  }
}

// Metadata.

// The server's initial metadata must come while no message follows it.
async function headers_before_message(client) {
  const script = {
    headers_at_once: true,
    block_until_cancelled: true,
    initial_metadata: [{ key: 'early', value: Buffer.from('yes') }],
  };
  let [metadata, id] = client.callId();
  let stream = Stream.down(client.echo, 'ServerStream', { script }, { metadata });
  await cancelAfterHeaders('ServerStream', client, stream, id);

  // The server speaks first: the client has sent headers only.
  [metadata, id] = client.callId();
  metadata.add('script-bin', shared.Script.serialize(script));
  stream = Stream.both(client.echo, 'Bidi', { metadata });
  await cancelAfterHeaders('Bidi', client, stream, id);
}

async function cancelAfterHeaders(where, client, stream, id) {
  await Promise.race([stream.headers, stream.over]);
  check(stream.header && !stream.status, `${where}: no initial metadata before the end`);
  checkValues(where, stream.header, 'early', ['yes']);
  stream.call.cancel();
  await client.awaitCancelled(id);
}

async function metadata_roundtrip(client) {
  const values = {
    'one': ['a value with spaces, a comma and ~!@#$%^&*()'],
    'repeated': ['first', 'second', 'third'],
    'one-bin': [Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
    'repeated-bin': [Buffer.from([0]), Buffer.from([0xff, 0xfe]), Buffer.from('three')],
  };
  const entries = (prefix) => Object.entries(values).flatMap(([key, several]) =>
    several.map((value) => ({ key: prefix + key, value: Buffer.from(value) })));
  const [metadata, id] = client.callId();
  metadata.merge(shared.toMetadata(entries('up-')));
  const script = { initial_metadata: entries('down-'), trailing_metadata: entries('end-') };
  const request = { script, payload: pattern(10) };
  const { header, status: end } =
    await unary(client.echo, 'Unary', request, { metadata }).succeeded();
  const entry = await client.journal(id);
  const seen = shared.toMetadata(entry.metadata);
  for (const [key, want] of Object.entries(values)) {
    checkValues('at the server', seen, 'up-' + key, want);
    checkValues('initial metadata', header, 'down-' + key, want);
    checkValues('trailers', end.metadata, 'end-' + key, want);
  }
}

async function authority_seen_by_server(client) {
  const [metadata, id] = client.callId();
  await unary(client.echo, 'Unary', {}, { metadata }).succeeded();
  const entry = await client.journal(id);
  const want = client.target.startsWith('unix:') ? 'localhost' : client.target;
  // grpcio's server does not tell its handlers the authority.
  check(entry.server === 'python' || entry.authority === want,
    `got ${entry.authority}, want ${want}`);
}

// The ways a call can end.

async function status_code_and_message(client) {
  for (let code = 1; code <= 16; code++) {
    for (const message of [SPECIAL_MESSAGE, '50% of /a;b %41']) {
      const script = { status_code: code, status_message: message, end_after: 1 };
      checkStatus(await unary(client.echo, 'Unary', { script }).ended, code, message);
      // The status comes after a message.
      const stream = Stream.both(client.echo, 'Bidi');
      stream.call.write({ script });
      check(await stream.next() !== null, 'Bidi: no message');
      check(await stream.next() === null, 'Bidi: a second message');
      checkStatus(stream, code, message);
    }
  }
}

async function status_details(client) {
  const want = shared.RichStatus.serialize({
    code: status.RESOURCE_EXHAUSTED,
    message: 'rich',
    details: [{ type_url: 'type.example/any', value: pattern(200) }],
  });
  const script = { status_code: status.RESOURCE_EXHAUSTED, status_message: 'rich',
    status_details: want };
  const end = await unary(client.echo, 'Unary', { script }).ended;
  checkStatus(end, status.RESOURCE_EXHAUSTED, 'rich');
  checkValues('trailers', end.status.metadata, 'grpc-status-details-bin', [want]);
}

async function trailers_only_error(client) {
  const script = {
    status_code: status.NOT_FOUND,
    status_message: 'nothing here',
    trailing_metadata: [{ key: 'why', value: Buffer.from('because') }],
  };
  const end = await unary(client.echo, 'Unary', { script }).ended;
  checkStatus(end, status.NOT_FOUND, 'nothing here');
  check(end.header === null, 'initial metadata, though the answer was an error at once');
  checkValues('trailers', end.status.metadata, 'why', ['because']);
}

async function unimplemented_method(client) {
  const { Unary } = shared.services.Echo.service;
  for (const path of ['/lanekeeper.tests.Echo/NoSuchMethod', '/no.such.Service/Method']) {
    const error = await new Promise((resolve) => {
      client.echo.makeUnaryRequest(path, Unary.requestSerialize, Unary.responseDeserialize, {},
        { deadline: deadlineIn() }, resolve);
    });
    check(error, `${path}: the call succeeded`);
    checkStatus({ status: error }, status.UNIMPLEMENTED);
  }
}

async function deadline_seen_by_server(client) {
  let [metadata, id] = client.callId();
  await unary(client.echo, 'Unary', {}, { metadata, deadline: deadlineIn(10000) }).succeeded();
  let left = (await client.journal(id)).deadline_ms;
  // Upwards only the rounding of grpc-timeout; downwards a machine under load.
  check(left >= 5000 && left <= 10200, `the server had ${left} ms left of 10 s`);

  [metadata, id] = client.callId();
  await unary(client.echo, 'Unary', {}, { metadata, deadline: Infinity }).succeeded();
  left = (await client.journal(id)).deadline_ms;
  check(left === -1, `the server saw a deadline of ${left} ms where there was none`);
}

async function deadline_exceeded(client) {
  const blocked = { script: { block_until_cancelled: true } };
  let [metadata, id] = client.callId();
  const end = await unary(client.echo, 'Unary', blocked,
    { metadata, deadline: deadlineIn(300) }).ended;
  await checkExpired(client, end, id);

  [metadata, id] = client.callId();
  const stream = Stream.both(client.echo, 'Bidi', { metadata, deadline: deadlineIn(300) });
  stream.call.write(blocked);
  await stream.over;
  await checkExpired(client, stream, id);
}

// grpc-java's server resets the call at its deadline, which a busy client can see before its own timer.
async function checkExpired(client, end, id) {
  await client.awaitCancelled(id);
  const { server } = await client.journal(id);
  if (server === 'java' && end.status.code === status.CANCELLED) return;
  checkStatus(end, status.DEADLINE_EXCEEDED);
}

// The server has work left for after a half-close: grpcio's server can take a cancellation for one, and
// Node's http2 module really half-closes a stream before it resets it. Without that work the call
// could end with OK first.
async function cancel_mid_stream(client) {
  const script = { response_count: 1000000 };
  let [metadata, id] = client.callId();
  let stream = Stream.both(client.echo, 'Bidi', { metadata });
  for (let i = 0; i < 3; i++) {
    stream.call.write({ script, response_bytes: 100 });
    check(await stream.next() !== null, `Bidi: no response ${i}`);
  }
  await cancelAndAwait(client, stream, id);

  // The server is sending.
  [metadata, id] = client.callId();
  stream = Stream.down(client.echo, 'ServerStream', { script, response_bytes: 100 }, { metadata });
  for (let i = 0; i < 3; i++) {
    check(await stream.next() !== null, `ServerStream: no response ${i}`);
  }
  await cancelAndAwait(client, stream, id);
}

async function cancelAndAwait(client, stream, id) {
  stream.call.cancel();
  await stream.over;
  checkStatus(stream, status.CANCELLED);
  await client.awaitCancelled(id);
}

// The server ends the call while the client is still writing.
async function early_finish(client) {
  const script = { end_after: 3, status_code: status.FAILED_PRECONDITION,
    status_message: 'enough' };
  const request = { script, payload: pattern(64 << 10), response_bytes: 1 };
  const stream = Stream.both(client.echo, 'Bidi');
  while (!stream.status) {
    const written = new Promise((resolve) => { stream.call.write(request, resolve); });
    await Promise.race([written, stream.over]);
  }
  for (let i = 0; i < 3; i++) check(await stream.next() !== null, `no response ${i}`);
  check(await stream.next() === null, 'a response too many');
  checkStatus(stream, status.FAILED_PRECONDITION, 'enough');
}

const cases = {
  hello_world,
  route_guide,
  multiplex,
  empty_unary,
  large_unary,
  message_5mib,
  empty_stream,
  ping_pong,
  headers_before_message,
  metadata_roundtrip,
  authority_seen_by_server,
  status_code_and_message,
  status_details,
  trailers_only_error,
  unimplemented_method,
  deadline_seen_by_server,
  deadline_exceeded,
  cancel_mid_stream,
  early_finish,
  half_close_then_long_stream,
  many_parallel,
  ...retryCases,
};

// Makes RPCs on its one connection, says so, keeps the connection until stdin ends, and shows that
// it still serves.
async function hold(client, rpcs) {
  for (let i = 0; i < rpcs; i++) await (i % 2 ? ping_pong : hello_world)(client);
  console.log('holding');
  for await (const _ of process.stdin);
  await hello_world(client);
}

async function run(name, body) {
  try {
    await body();
  } catch (error) {
    console.log(`FAIL ${name}: ${error.message}`);
    process.exitCode = 1;
    return;
  }
  console.log(`ok ${name}`);
}

async function main() {
  const [target, ...wanted] = process.argv.slice(2);
  const unknown = wanted.filter((name) => !cases[name]);
  if (target === undefined || (wanted[0] !== 'hold' && unknown.length > 0)) {
    console.error('usage: client.js TARGET [CASE...] | client.js TARGET hold RPCS', unknown);
    process.exit(2);
  }
  const client = new Client(target);
  if (wanted[0] === 'hold') {
    await run('hold', () => hold(client, Number(wanted[1])));
  } else {
    for (const name of wanted.length > 0 ? wanted : Object.keys(cases)) {
      await run(name, () => cases[name](client));
    }
  }
  client.close();
}

main();
