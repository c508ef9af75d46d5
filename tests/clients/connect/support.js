// What the client's cases share: the channel, bidirectional RPCs, checks.
'use strict';

const { Code, ConnectError, createClient } = require('@connectrpc/connect');
const { Http2SessionManager, createGrpcTransport } = require('@connectrpc/connect-node');
const { createWritableIterable } = require('@connectrpc/connect/protocol');
const { services, pattern, check } = require('./shared');

const RPC_TIMEOUT_MS = 20000;  // no RPC of a case may take longer

class Client {
  constructor(target) {
    const baseUrl = `http://${target}`;
    this.session = new Http2SessionManager(baseUrl);
    this.transport = createGrpcTransport({
      baseUrl, sessionManager: this.session, defaultTimeoutMs: RPC_TIMEOUT_MS });
    this.greeter = createClient(services.Greeter, this.transport);
    this.echo = createClient(services.Echo, this.transport);
    this.calls = 0;
  }

  // New headers with the id under which the server's journal keeps the call that carries them.
  callId() {
    const id = `connect-${process.pid}-${++this.calls}`;
    return [{ 'call-id': id }, id];
  }

  journal(id) {
    return this.echo.journal({ callId: id });
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

// A bidirectional RPC: send(), close(), and next() for the responses one by one.
function bidi(client, options) {
  const requests = createWritableIterable();
  const responses = client.echo.bidi(requests, options)[Symbol.asyncIterator]();
  return {
    send: (request) => { requests.write(request).catch(() => {}); },  // next() says it too
    close: () => requests.close(),
    next: async () => (await responses.next()).value,
  };
}

// The error with which a promise is rejected.
async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error('the call succeeded');
}

function checkError(error, code, message) {
  check(error.code === code, `status ${Code[error.code]} (${error.message}), want ${Code[code]}`);
  check(message === undefined || error.rawMessage === message,
    `status message ${JSON.stringify(error.rawMessage)}, want ${JSON.stringify(message)}`);
}

function checkPayload(response, size) {
  check(response && pattern(size).equals(response.payload), `wrong payload, want the pattern of ${size}`);
}

async function checkStream(responses, count, size) {
  let received = 0;
  for await (const response of responses) {
    check(response.index === received, `got response ${response.index} as number ${received}`);
    checkPayload(response, size);
    received++;
  }
  check(received === count, `${received} responses, want ${count}`);
}

function checkValues(where, key, got, want) {
  const text = (values) => values.map((value) => Buffer.from(value).toString('latin1'))
    .join(key.endsWith('-bin') ? '|' : ', ');
  check(text(got) === text(want), `${where} ${key}: got ${text(got)}, want ${text(want)}`);
}

module.exports = {
  Client, RPC_TIMEOUT_MS, bidi, failure, checkError, checkPayload, checkStream, checkValues,
};
