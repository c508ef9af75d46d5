// The foreign server in Node: Greeter, RouteGuide and Echo on one port.
// Prints "listening ADDRESS" (the port, or unix:PATH) once it can be dialled.
'use strict';

const shared = require('./shared');
const { grpc, services, features } = shared;

const greeter = {
  SayHello(call, reply) {
    reply(null, { message: 'Hello ' + call.request.name });
  },
};

const samePlace = (a, b) => a.latitude === b.latitude && a.longitude === b.longitude;

function featureName(point) {
  const found = features.find((feature) => samePlace(feature.location, point));
  return found ? found.name : '';
}

const routeGuide = {
  GetFeature(call, reply) {
    reply(null, { name: featureName(call.request), location: call.request });
  },

  ListFeatures(call) {
    const { lo, hi } = call.request;
    for (const feature of features) {
      const { latitude, longitude } = feature.location;
      if (lo.latitude <= latitude && latitude <= hi.latitude &&
          lo.longitude <= longitude && longitude <= hi.longitude) {
        call.write(feature);
      }
    }
    call.end();
  },

  RecordRoute(call, reply) {
    const summary = { point_count: 0, feature_count: 0, distance: 0 };
    let last = null;
    call.on('data', (point) => {
      summary.point_count++;
      if (featureName(point) !== '') summary.feature_count++;
      if (last) summary.distance += shared.distance(last, point);
      last = point;
    });
    call.on('end', () => reply(null, summary));
  },

  RouteChat(call) {
    const notes = [];
    call.on('data', (note) => {
      notes.push(note);
      notes.filter((earlier) => samePlace(earlier.location, note.location))
        .forEach((earlier) => call.write(earlier));
    });
    call.on('end', () => call.end());
  },
};

const journal = new Map();

// One call's page in the journal. `over` resolves when the client has gone.
class Record {
  constructor(call) {
    this.entry = {
      server: 'node',
      known: true,
      metadata: shared.toEntries(call.metadata),
      authority: call.getHost(),
      deadline_ms: -1,
      messages: 0,
      previous_attempts: [],
    };
    const deadline = call.getDeadline();
    if (deadline !== Infinity) this.entry.deadline_ms = Math.round(deadline - Date.now());
    this.over = new Promise((resolve) => {
      call.on('cancelled', () => {
        // grpc-js says "cancelled" after a call's own end too.
        if (!this.entry.ended) this.entry.ended = this.entry.cancelled = true;
        resolve();
      });
    });
    const [id] = call.metadata.get('call-id');
    if (id === undefined) return;
    const attempt = call.metadata.get('grpc-previous-rpc-attempts').join();
    const { previous_attempts: earlier } = journal.get(id) || { previous_attempts: [] };
    this.entry.previous_attempts = [...earlier, attempt];
    journal.set(id, this.entry);
  }
}

// Thrown to leave a handler whose client has gone.
class Gone extends Error {}

// All of the script that comes before the first response.
async function begin(script, call, record) {
  if (!script) return;
  if (script.headers_at_once || script.initial_metadata.length > 0) {
    call.sendMetadata(shared.toMetadata(script.initial_metadata));
  }
  let timer;
  const wait = script.block_until_cancelled
    ? new Promise(() => {})
    : new Promise((resolve) => { timer = setTimeout(resolve, script.delay_ms); });
  await Promise.race([wait, record.over]);
  clearTimeout(timer);
  if (record.entry.cancelled) throw new Gone();
}

// The script's status and trailers: { error } or { trailers }.
function ending(script, record) {
  record.entry.ended = true;
  if (!script) return { error: null, trailers: new grpc.Metadata() };
  const trailers = shared.toMetadata(script.trailing_metadata);
  const failures = script.fail_attempts || Infinity;
  if (script.status_code === 0 || record.entry.previous_attempts.length > failures) {
    return { error: null, trailers };
  }
  if (script.status_details.length > 0) {
    trailers.add('grpc-status-details-bin', script.status_details);
  }
  const error = { code: script.status_code, details: script.status_message, metadata: trailers };
  return { error, trailers };
}

function endStream(script, call, record) {
  const { error, trailers } = ending(script, record);
  if (error) {
    call.emit('error', error);
  } else {
    call.end(trailers);
  }
}

// Fields with default values are left out: protobufjs would put them on the wire.
function response(request, index) {
  const size = request.response_bytes;
  const payload = size > 0 ? shared.pattern(size) : request.payload;
  return { ...(payload.length > 0 && { payload }), ...(index > 0 && { index }) };
}

// Resolves when the message has been taken, so that a slow client slows the server down.
function write(call, message) {
  return new Promise((resolve, reject) => {
    call.write(message, (error) => (error ? reject(new Gone()) : resolve()));
  });
}

function scriptFromMetadata(call) {
  const [bytes] = call.metadata.get('script-bin');
  return bytes === undefined ? null : shared.Script.deserialize(bytes);
}

// Makes a handler of an async function; the client's going ends it quietly.
function handler(serve) {
  return (call, reply) => {
    const record = new Record(call);
    serve(call, record, reply).catch((error) => {
      if (error instanceof Gone || record.entry.cancelled) return;
      console.error(error);
      process.exit(1);
    });
  };
}

// Hands each request to `each` until it returns false; resolves to true at the half-close.
async function readAll(call, record, each) {
  // Leaving the loop early must not destroy the call: there is a status to send.
  for await (const request of call.iterator({ destroyOnReturn: false })) {
    record.entry.messages++;
    if (await each(request) === false) return false;
  }
  record.entry.half_closed = true;
  return true;
}

const echo = {
  Unary: handler(async (call, record, reply) => {
    const { script } = call.request;
    record.entry.messages++;
    await begin(script, call, record);
    const { error, trailers } = ending(script, record);
    reply(error, error ? null : response(call.request, 0), trailers);
  }),

  ServerStream: handler(async (call, record) => {
    const { script } = call.request;
    record.entry.messages++;
    await begin(script, call, record);
    for (let i = 0; i < (script ? script.response_count : 0); i++) {
      await write(call, response(call.request, i));
    }
    endStream(script, call, record);
  }),

  ClientStream: handler(async (call, record, reply) => {
    let script = scriptFromMetadata(call);
    await begin(script, call, record);
    const total = { messages: 0, bytes: 0 };
    await readAll(call, record, async (request) => {
      if (total.messages === 0 && !script) {
        script = request.script;
        await begin(script, call, record);
      }
      total.messages++;
      total.bytes += request.payload.length;
    });
    const { error, trailers } = ending(script, record);
    reply(error, error ? null : total, trailers);
  }),

  Bidi: handler(async (call, record) => {
    let script = scriptFromMetadata(call);
    await begin(script, call, record);
    let last = { response_bytes: 0, payload: Buffer.alloc(0) };
    let sent = 0;
    const halfClosed = await readAll(call, record, async (request) => {
      if (sent === 0 && !script) {
        script = request.script;
        await begin(script, call, record);
      }
      await write(call, response(request, sent++));
      last = request;
      return !(script && script.end_after === sent);
    });
    if (halfClosed && script) {
      for (let i = 0; i < script.response_count; i++) {
        await write(call, response(last, sent++));
      }
    }
    endStream(script, call, record);
  }),

  Journal(call, reply) {
    reply(null, journal.get(call.request.call_id) || { server: 'node' });
  },
};

function main() {
  const [flag, address = '127.0.0.1:0', ...more] = process.argv.slice(2);
  if ((flag !== undefined && flag !== '-listen') || more.length > 0) {
    console.error('usage: server.js [-listen HOST:PORT|unix:PATH]');
    process.exit(2);
  }
  const server = new grpc.Server(shared.unlimited);
  server.addService(services.Greeter.service, greeter);
  server.addService(services.RouteGuide.service, routeGuide);
  server.addService(services.Echo.service, echo);
  server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    console.log('listening', address.startsWith('unix:') ? address : port);
  });
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => server.forceShutdown());
  }
}

main();
