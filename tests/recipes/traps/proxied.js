// Clients without options. usage: proxied.js TARGET...
'use strict';

const grpc = require('@grpc/grpc-js');

const bytes = (value) => value;

function call(target) {
  const client = new grpc.Client(target, grpc.credentials.createInsecure());
  const options = { deadline: Date.now() + 10_000 };
  return new Promise((resolve) => client.makeUnaryRequest('/shop.Orders/Get', bytes, bytes,
    Buffer.from('order 42'), new grpc.Metadata(), options,
    (error) => resolve(error ? grpc.status[error.code] : 'OK')));
}

(async () => {
  for (const target of process.argv.slice(2)) console.log(await call(target));
  process.exit();
})();
