// `buf curl`, a process for each RPC. usage: buf.js HOST:PORT|unix:PATH [CASE...]
'use strict';

const { execFile } = require('child_process');
const path = require('path');
const { encode, pattern, check, runCases } = require('./shared');

const BUF = path.join(__dirname, 'node_modules/.bin/buf');
const SCHEMA = path.join(__dirname, '../protos/echo.proto');
const RPC_TIMEOUT = '20s';
const RESOURCE_EXHAUSTED = 8;

// Calls a method of Echo. Resolves to the exit code and what was printed.
function curl(target, method, request, ...flags) {
  const socket = target.startsWith('unix:') ? ['--unix-socket', target.slice('unix:'.length)] : [];
  const host = socket.length > 0 ? 'localhost' : target;
  return new Promise((resolve) => {
    execFile(BUF, ['curl', '--schema', SCHEMA, '--protocol', 'grpc', '--http2-prior-knowledge',
      '--timeout', RPC_TIMEOUT, ...socket, ...flags, '--data', JSON.stringify(request),
      `http://${host}/lanekeeper.tests.Echo/${method}`],
    (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
  });
}

// The responses of an RPC that succeeds.
async function responses(...call) {
  const { code, stdout, stderr } = await curl(...call);
  check(code === 0, `exit code ${code}: ${stderr}`);
  return stdout.split(/^(?={)/m).map((json) => JSON.parse(json));
}

const base64 = (bytes) => Buffer.from(bytes).toString('base64');

async function buf_unary(target) {
  const [got, ...more] = await responses(target, 'Unary', { responseBytes: 1000 });
  check(more.length === 0 && got.payload === base64(pattern(1000)), 'wrong response');
}

async function buf_metadata(target) {
  const id = `buf-${process.pid}`;
  const bin = base64(Buffer.from([0, 255]));
  await responses(target, 'Unary', {}, '-H', `call-id: ${id}`, '-H', 'up: text', '-H', `up-bin: ${bin}`);
  const [entry] = await responses(target, 'Journal', { callId: id });
  for (const [key, want] of [['up', base64('text')], ['up-bin', bin]]) {
    const got = entry.metadata.filter((each) => each.key === key).map(({ value }) => value);
    check(got.join() === want, `${key}: got ${got}, want ${want}`);
  }
}

async function buf_stream(target) {
  const request = { script: { responseCount: 20 }, responseBytes: 100 };
  const got = await responses(target, 'ServerStream', request);
  check(got.length === 20, `${got.length} responses, want 20`);
  check(got.every(({ payload, index = 0 }, i) => index === i && payload === base64(pattern(100))),
    'wrong responses');
}

async function buf_error_details(target) {
  const detail = { typeUrl: 'type.example/any', value: pattern(200) };
  const statusDetails = encode('RichStatus',
    { code: RESOURCE_EXHAUSTED, message: 'rich', details: [detail] });
  const script = {
    statusCode: RESOURCE_EXHAUSTED, statusMessage: 'rich', statusDetails: base64(statusDetails) };
  const { code, stderr } = await curl(target, 'Unary', { script });
  check(code === RESOURCE_EXHAUSTED << 3, `exit code ${code}: ${stderr}`);
  const error = JSON.parse(stderr);
  check(error.code === 'resource_exhausted' && error.message === 'rich', `got ${stderr}`);
  const [{ type, value } = {}, ...more] = error.details || [];
  check(more.length === 0 && type === 'any' && pattern(200).equals(Buffer.from(value, 'base64')),
    `got ${stderr}`);
}

const [target, ...wanted] = process.argv.slice(2);
runCases({ buf_unary, buf_metadata, buf_stream, buf_error_details }, wanted, target);
