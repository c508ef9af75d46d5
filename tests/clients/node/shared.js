// What the Node server and the Node client must agree on.
'use strict';

const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const PROTOS = ['helloworld.proto', 'routeguide.proto', 'echo.proto', 'healthcontrol.proto'].map((name) =>
  path.join(__dirname, '..', 'protos', name));

// keepCase: field names as in the .proto files. longs as numbers: the tests' are small.
const loaded = grpc.loadPackageDefinition(
  loader.loadSync(PROTOS, { keepCase: true, longs: Number, defaults: true }));

const services = {
  Greeter: loaded.helloworld.Greeter,
  RouteGuide: loaded.routeguide.RouteGuide,
  Echo: loaded.lanekeeper.tests.Echo,
  HealthControl: loaded.lanekeeper.tests.HealthControl,  // of the Go server only
};

// Encode and decode messages outside of any RPC: .serialize(value), .deserialize(bytes).
const { Script, RichStatus } = loaded.lanekeeper.tests;

const unlimited = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
};

// The map; see routeguide.proto.
const features = Array.from({ length: 25 }, (_, i) => ({
  name: `Feature ${i}`,
  location: { latitude: 400000000 + i * 1000000, longitude: -750000000 + i * 500000 },
}));

// The length of one leg of a route.
function distance(a, b) {
  return Math.abs(a.latitude - b.latitude) + Math.abs(a.longitude - b.longitude);
}

const unit = Buffer.from(Array.from({ length: 251 }, (_, i) => (i * 31 + 7) % 251));

// `size` bytes that are not all alike, the same in every language.
function pattern(size) {
  return Buffer.alloc(size, unit);
}

// Script entries as gRPC metadata: Buffers for -bin keys, text for all others.
function toMetadata(entries) {
  const metadata = new grpc.Metadata();
  for (const { key, value } of entries) {
    metadata.add(key, key.endsWith('-bin') ? value : value.toString());
  }
  return metadata;
}

function toEntries(metadata) {
  return Object.keys(metadata.getMap()).flatMap((key) =>
    metadata.get(key).map((value) => ({ key, value: Buffer.from(value) })));
}

module.exports = {
  grpc, services, unlimited, features, distance, pattern, toMetadata, toEntries,
  Script, RichStatus,
};
