// What the client's cases share: the channel, calls as promises, checks.
'use strict';

const fs = require('fs');

const shared = require('./shared');
const { grpc, services } = shared;

// No RPC of a case may take longer; it bounds every wait.
const RPC_TIMEOUT_MS = 20000;

function deadlineIn(ms = RPC_TIMEOUT_MS) {
  return Date.now() + ms;
}

// Plaintext, or TLS to who is certified by the authority in $TLS_CA; by $TLS_CERTIFICATE and its
// $TLS_KEY, if there are any, we say who we are.
function security() {
  const { TLS_CA, TLS_KEY, TLS_CERTIFICATE } = process.env;
  if (!TLS_CA) return grpc.credentials.createInsecure();
  const read = (file) => (file ? fs.readFileSync(file) : null);
  return grpc.credentials.createSsl(read(TLS_CA), read(TLS_KEY), read(TLS_CERTIFICATE));
}

class Client {
  constructor(target, channelOptions = {}) {
    this.target = target;
    const credentials = security();
    this.channel = new grpc.Channel(target, credentials,
      { ...shared.unlimited, ...channelOptions });
    const options = { channelOverride: this.channel };
    this.greeter = new services.Greeter(target, credentials, options);
    this.guide = new services.RouteGuide(target, credentials, options);
    this.echo = new services.Echo(target, credentials, options);
    this.calls = 0;
  }

  close() {
    this.channel.close();
  }

  // New metadata with the id under which the server's journal keeps the call that carries it.
  callId() {
    const id = `node-${process.pid}-${++this.calls}`;
    const metadata = new grpc.Metadata();
    metadata.add('call-id', id);
    return [metadata, id];
  }

  async journal(id) {
    return (await unary(this.echo, 'Journal', { call_id: id }).succeeded()).response;
  }

  // Polls the journal until the server saw the call's cancellation.
  async awaitCancelled(id) {
    for (const bound = Date.now() + 10000; ;) {
      const entry = await this.journal(id);
      if (entry.cancelled) return;
      check(!entry.ended, 'the server ended the call without seeing the cancellation');
      check(Date.now() < bound,
        `the server saw no cancellation in 10 s (it saw the call: ${entry.known})`);
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
  }
}

// A call with one response. Returns { call, ended, succeeded() }; both promises give
// { response, header, status }, and header is null if no initial metadata came.
// A null request is for a client-streaming method: write to `call`.
function unary(stub, method, request, { metadata, deadline } = {}) {
  const result = { response: null, header: null, status: null };
  const options = [metadata || new grpc.Metadata(), { deadline: deadline || deadlineIn() }];
  const done = (error, response) => { result.response = response; };
  const call = request
    ? stub[method](request, ...options, done)
    : stub[method](...options, done);
  call.on('metadata', (header) => { result.header = header; });
  const ended = new Promise((resolve) => {
    call.on('status', (status) => {
      result.status = status;
      resolve(result);
    });
  });
  const succeeded = async () => {
    checkStatus(await ended, grpc.status.OK);
    return result;
  };
  return { call, ended, succeeded };
}

// A call with many responses, which next() hands out one by one.
class Stream {
  static down(stub, method, request, options) {
    return new Stream((...rest) => stub[method](request, ...rest), options);
  }

  static both(stub, method, options) {
    return new Stream((...rest) => stub[method](...rest), options);
  }

  constructor(start, { metadata, deadline } = {}) {
    this.call = start(metadata || new grpc.Metadata(), { deadline: deadline || deadlineIn() });
    this.header = null;
    this.status = null;
    this.messages = [];
    this.wake = () => {};
    this.headers = new Promise((resolve) => {
      this.call.on('metadata', (header) => {
        this.header = header;
        resolve();
      });
    });
    this.call.on('data', (message) => {
      this.messages.push(message);
      this.wake();
    });
    this.call.on('error', () => {});  // the status says it too
    const status = new Promise((resolve) => {
      this.call.on('status', (end) => {
        this.status = end;
        resolve();
      });
    });
    const drained = new Promise((resolve) => { this.call.on('end', resolve); });
    this.over = Promise.all([status, drained]);
  }

  // The next message, or null at the end.
  async next() {
    if (this.messages.length === 0) {
      const message = new Promise((resolve) => { this.wake = resolve; });
      await Promise.race([message, this.over]);
    }
    return this.messages.length > 0 ? this.messages.shift() : null;
  }

  // Expects the end, with status OK.
  async end() {
    const extra = await this.next();
    check(extra === null, `a response too many: ${JSON.stringify(extra)}`);
    checkStatus(this, grpc.status.OK);
  }
}

function check(good, why) {
  if (!good) throw new Error(why);
}

function checkStatus({ status }, code, message) {
  check(status.code === code,
    `status ${grpc.status[status.code]} (${status.details}), want ${grpc.status[code]}`);
  check(message === undefined || status.details === message,
    `status message ${JSON.stringify(status.details)}, want ${JSON.stringify(message)}`);
}

function checkPayload(response, size) {
  check(response.payload.equals(shared.pattern(size)),
    `wrong payload: ${response.payload.length} bytes, want the pattern of ${size}`);
}

async function checkStream(stream, count, size) {
  for (let i = 0; i < count; i++) {
    const got = await stream.next();
    check(got !== null, `${i} responses, want ${count}: status ${JSON.stringify(stream.status)}`);
    check(got.index === i, `got response ${got.index} as number ${i}`);
    checkPayload(got, size);
  }
  await stream.end();
}

// The values of one key, in order. Node's http2 module joins repeated ASCII keys with ", " before
// grpc-js sees them, so for those only the joined value can be compared.
function checkValues(where, metadata, key, want) {
  let got = metadata.get(key);
  if (!key.endsWith('-bin')) {
    got = [got.join(', ')];
    want = [want.join(', ')];
  }
  const text = (values) => JSON.stringify(values.map((value) => Buffer.from(value).toString('latin1')));
  check(text(got) === text(want), `${where}, key ${key}: got ${text(got)}, want ${text(want)}`);
}

module.exports = {
  Client, Stream, unary, deadlineIn,
  check, checkStatus, checkPayload, checkStream, checkValues,
};
