// Stock health and reflection clients of npm: grpc-health-check and grpc-js-reflection-client.
// usage: probe.js TARGET CASE...   Prints "ok CASE" or "FAIL CASE: why" for each case.
'use strict';

const health = require('grpc-health-check');
const { GrpcReflection } = require('grpc-js-reflection-client');
const { Stream, unary, check, checkStatus, deadlineIn } = require('./support');
const { grpc, services } = require('./shared');

const { status } = grpc;
const SERVICES = [
  'grpc.health.v1.Health', 'grpc.reflection.v1alpha.ServerReflection', 'helloworld.Greeter',
  'lanekeeper.tests.Echo', 'lanekeeper.tests.HealthControl', 'routeguide.RouteGuide',
];

class Probe {
  constructor(target) {
    this.target = target;
    this.credentials = grpc.credentials.createInsecure();
    this.channel = new grpc.Channel(target, this.credentials, {});
    const stub = (Client) => new Client(target, this.credentials, { channelOverride: this.channel });
    this.health = stub(grpc.makeClientConstructor(health.service));
    this.control = stub(services.HealthControl);
  }

  async setServing(service, serving) {
    await unary(this.control, 'Set', { service, serving }).succeeded();
  }

  async checkHealth(service, want) {
    const { response } = await unary(this.health, 'check', { service }).succeeded();
    check(response.status === want, `Check of "${service}": got ${response.status}, want ${want}`);
  }

  // It dials a channel of its own; grpc-js joins those that dial the same.
  reflection(version) {
    return new GrpcReflection(this.target, this.credentials, {}, version);
  }
}

async function health_check(probe) {
  await probe.checkHealth('', 'SERVING');
  const asleep = 'node.check.asleep';
  checkStatus(await unary(probe.health, 'check', { service: asleep }).ended, status.NOT_FOUND);
  await probe.setServing(asleep, false);
  await probe.checkHealth(asleep, 'NOT_SERVING');
  // A proxy that spoke for itself would go on saying SERVING.
  await probe.setServing('', false);
  await probe.checkHealth('', 'NOT_SERVING');
  await probe.setServing('', true);
  await probe.checkHealth('', 'SERVING');
}

async function health_watch(probe) {
  const service = 'node.watch';
  const stream = Stream.down(probe.health, 'watch', { service });
  const expect = async (want) => {
    const got = await stream.next();
    check(got && got.status === want, `Watch: got ${JSON.stringify(got || stream.status)}, want ${want}`);
  };
  await expect('SERVICE_UNKNOWN');
  for (const serving of [false, true, false]) {
    await probe.setServing(service, serving);
    await expect(serving ? 'SERVING' : 'NOT_SERVING');
  }
  stream.call.cancel();
  await stream.over;
  checkStatus(stream, status.CANCELLED);
}

async function health_absent(probe) {
  checkStatus(await unary(probe.health, 'check', { service: '' }).ended, status.UNIMPLEMENTED);
  const stream = Stream.down(probe.health, 'watch', { service: '' });
  check(await stream.next() === null, 'Watch: a message');
  checkStatus(stream, status.UNIMPLEMENTED);
}

async function reflection(probe) {
  const client = probe.reflection('v1alpha');
  const deadline = { deadline: deadlineIn() };
  const listed = (await client.listServices('*', undefined, deadline)).sort();
  check(listed.join() === SERVICES.join(), `services: got ${listed}, want ${SERVICES}`);
  const methods = await client.listMethods('routeguide.RouteGuide', undefined, deadline);
  const names = methods.map(({ name }) => name).sort().join();
  check(names === 'GetFeature,ListFeatures,RecordRoute,RouteChat', `methods: got ${names}`);

  // What was told is enough to make a call: this is how grpcurl and others work.
  const told = await client.getDescriptorBySymbol('helloworld.Greeter', undefined, deadline);
  const { Greeter } = told.getPackageObject().helloworld;
  const greeter = new Greeter(probe.target, probe.credentials, { channelOverride: probe.channel });
  const { response } = await unary(greeter, 'SayHello', { name: 'reflection' }).succeeded();
  check(response.message === 'Hello reflection', `SayHello: got ${JSON.stringify(response)}`);

  // This server has the old version only; clients that try the new one first must be told so.
  await expectNoReflection(probe, 'v1');
}

async function reflection_absent(probe) {
  await expectNoReflection(probe, 'v1alpha');
  await expectNoReflection(probe, 'v1');
}

async function expectNoReflection(probe, version) {
  let why = null;
  try {
    await probe.reflection(version).listServices('*', undefined, { deadline: deadlineIn() });
  } catch (error) {
    why = String(error);
  }
  check(why !== null, `reflection ${version}: answered`);
  // The client gives the status as text only.
  check(why.includes('12 UNIMPLEMENTED'), `reflection ${version}: ${why}`);
}

const cases = { health_check, health_watch, health_absent, reflection, reflection_absent };

async function main() {
  const [target, ...wanted] = process.argv.slice(2);
  if (wanted.length === 0) {
    console.error('usage: probe.js TARGET CASE...');
    process.exit(2);
  }
  const probe = new Probe(target);
  for (const name of wanted) {
    try {
      check(cases[name], 'no such case');
      await cases[name](probe);
      console.log('ok', name);
    } catch (error) {
      console.log(`FAIL ${name}: ${error.message}`);
      process.exitCode = 1;
    }
  }
  probe.channel.close();
}

main();
