// What the programs of this folder share: the schema, the server's journal, checks.
'use strict';

const fs = require('fs');
const path = require('path');
const { create, createFileRegistry, fromBinary, toBinary } = require('@bufbuild/protobuf');
const { FileDescriptorSetSchema } = require('@bufbuild/protobuf/wkt');

// Made by protoc at build time; see ../run.
const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, fs.readFileSync(path.join(__dirname, 'protos.binpb'))));

const services = {
  Greeter: registry.getService('helloworld.Greeter'),
  Echo: registry.getService('lanekeeper.tests.Echo'),
};

// A message of the Echo service as bytes.
function encode(name, fields) {
  const schema = registry.getMessage(`lanekeeper.tests.${name}`);
  return toBinary(schema, create(schema, fields));
}

const unit = Buffer.from(Array.from({ length: 251 }, (_, i) => (i * 31 + 7) % 251));

// `size` bytes that are not all alike, the same in every language.
function pattern(size) {
  return Buffer.alloc(size, unit);
}

function check(good, why) {
  if (!good) throw new Error(why);
}

// Runs the wanted cases, or all: "ok CASE" or "FAIL CASE: why" for each.
async function runCases(cases, wanted, ...given) {
  for (const name of wanted.length > 0 ? wanted : Object.keys(cases)) {
    try {
      check(cases[name], 'no such case');
      await cases[name](...given);
      console.log('ok', name);
    } catch (error) {
      console.log(`FAIL ${name}: ${error.message}`);
      process.exitCode = 1;
    }
  }
}

module.exports = { services, encode, pattern, check, runCases };
