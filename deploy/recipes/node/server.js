// A cluster whose workers call the orders service. $WEB_CONCURRENCY says how many there are.
'use strict';

const cluster = require('node:cluster');
const http = require('node:http');

function startWorkers() {
  for (let i = 0; i < Number(process.env.WEB_CONCURRENCY); i++) cluster.fork();
  cluster.once('listening', (_, { port }) => console.log(`http://127.0.0.1:${port}`));
}

function work() {
  const grpc = require('@grpc/grpc-js');
  const client = new grpc.Client(process.env.ORDERS_GRPC_TARGET, grpc.credentials.createInsecure(),
    { 'grpc.enable_http_proxy': 0 });

  const bytes = (value) => value; // in yours: the generated client, which has the same arguments
  http.createServer((request, response) => {
    const options = { deadline: Date.now() + 20_000 };
    client.makeUnaryRequest('/shop.Orders/Get', bytes, bytes, Buffer.from('order 42'),
      new grpc.Metadata(), options, (error, order) => {
        response.statusCode = error ? 502 : 200;
        response.end(`worker ${process.pid}: ${error ? error.message : order}\n`);
      });
  }).listen(Number(process.env.PORT), '127.0.0.1');
}

if (cluster.isPrimary) startWorkers();
else work();
