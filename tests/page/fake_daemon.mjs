// A control address whose streams are what the test says. It serves the page itself from
// proxy/admin/page, under the policy that lanekeeper sends, and notes what it is asked for.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const pageFolder = fileURLToPath(new URL('../../proxy/admin/page', import.meta.url));
const policy = [
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'",
  "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
].join('; ');
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

const parameterNames = new Set([
  'method',
  'peer',
  'state',
  'min_age',
  'stuck',
  'page_size',
  'page_token',
]);

export class FakeDaemon {
  streams = [];
  totals = {}; // what is not to be computed from the streams
  queries = []; // of GET /streams, as objects
  cancels = []; // {id, reason, type}
  underWay = 0; // lists that are not yet answered
  underWayMost = 0;
  gate = Promise.resolve(); // lists wait for it
  refusal; // {status, message}: what every list is answered with
  #server;
  #port = 0;

  async start() {
    this.#server = http.createServer((request, response) => this.#handle(request, response));
    this.#server.listen(this.#port, '127.0.0.1');
    await new Promise((resolve) => this.#server.once('listening', resolve));
    this.#port = this.#server.address().port;
    this.url = `http://127.0.0.1:${this.#port}/`;
    return this;
  }

  async stop() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request, response) {
    const url = new URL(request.url, this.url);
    const cancelled = /^\/streams\/(\d+)\/cancel$/.exec(url.pathname);
    if (request.method === 'POST' && cancelled) {
      this.#cancel(cancelled[1], request, await bodyOf(request), response);
    } else if (request.method === 'GET' && url.pathname === '/streams') {
      await this.#list(url.searchParams, response);
    } else if (request.method === 'GET') {
      serveFile(url.pathname === '/' ? '/index.html' : url.pathname, response);
    } else {
      answer(response, 405, { message: 'no such method' });
    }
  }

  async #list(parameters, response) {
    const query = Object.fromEntries(parameters);
    this.queries.push(query);
    this.underWay += 1;
    this.underWayMost = Math.max(this.underWayMost, this.underWay);
    await this.gate;
    this.underWay -= 1;
    const unknown = Object.keys(query).find((name) => !parameterNames.has(name));
    const refusal =
      this.refusal ?? (unknown && { status: 400, message: `unknown parameter '${unknown}'` });
    if (refusal) answer(response, refusal.status, { message: refusal.message });
    else answer(response, 200, this.#answerTo(query));
  }

  #answerTo({
    method = '',
    peer = '',
    state,
    stuck,
    min_age: age = '0s',
    page_size: size = '100',
    page_token: token = '0',
  }) {
    const matching = this.streams.filter(
      (stream) =>
        stream.method.includes(method) &&
        stream.downstream_peer.includes(peer) &&
        (stuck !== 'true' || stream.stall) &&
        Number.parseFloat(stream.age) >= Number.parseFloat(age) &&
        (!state || [stream.to_upstream.state, stream.to_downstream.state].includes(state)),
    );
    const after = matching.filter((stream) => Number(stream.id) > Number(token));
    const page = after.slice(0, Number(size));
    return {
      ...(page.length > 0 && { streams: page.map(startedAbout) }),
      ...(after.length > page.length && { next_page_token: page.at(-1).id }),
      totals: { ...this.#totals(), streams_matching: String(matching.length), ...this.totals },
    };
  }

  #totals() {
    const number = (isCounted) => String(this.streams.filter(isCounted).length);
    return {
      streams_open: String(this.streams.length),
      streams_half_closed: number((stream) => stream.to_upstream.state === 'HALF_CLOSED'),
      streams_stuck: number((stream) => stream.stall),
      streams_awaiting_upstream: number((stream) => stream.to_upstream.state === 'WAITING'),
      downstream_connections: '3',
      upstream_connections: '1',
      upstream_state: 'ready',
      rpcs_started: '0',
      messages_to_upstream: '0',
      messages_to_downstream: '0',
      bytes_to_upstream: '0',
      bytes_to_downstream: '0',
      draining: false,
      upstream_address: 'dns:///orders.shop.svc:50051',
    };
  }

  #cancel(id, request, body, response) {
    const { reason } = JSON.parse(body);
    this.cancels.push({ id, reason, type: request.headers['content-type'] });
    const stream = this.streams.find((candidate) => candidate.id === id);
    if (!stream) {
      answer(response, 404, { message: 'no such stream is open' });
      return;
    }
    this.streams = this.streams.filter((other) => other !== stream);
    answer(response, 200, { stream });
  }
}

// lanekeeper computes it anew for each answer, so it differs a little.
function startedAbout(stream) {
  return {
    ...stream,
    started: stream.started.replace('Z', `.${process.hrtime.bigint() % 1000n}Z`),
  };
}

async function bodyOf(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

function answer(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

function serveFile(name, response) {
  try {
    const text = readFileSync(path.join(pageFolder, path.basename(name)));
    response.writeHead(200, {
      'Content-Type': types[path.extname(name)],
      'Content-Security-Policy': policy,
    });
    response.end(text);
  } catch {
    response.writeHead(404);
    response.end();
  }
}
