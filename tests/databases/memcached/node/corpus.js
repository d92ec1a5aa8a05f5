// What memcached can do, by the driver `memcached` of Node: an app whose every answer is what it understood.
//
//     node corpus.js PORT MEMCACHED_PORT

'use strict';

const http = require('node:http');
const { promisify, inspect } = require('node:util');
const Memcached = require('memcached');

const [port, server] = process.argv.slice(2);
const db = new Memcached(`127.0.0.1:${server}`, { poolSize: 2 });
const call = (name, ...words) => promisify(db[name]).apply(db, words).catch((error) => `error: ${error.message}`);

const acts = {
  basics: () => [['set', 'a', 'one two', 60], ['get', 'a'], ['get', 'nobody'], ['add', 'a', 'x', 0], ['replace', 'a', 'y', 0], ['append', 'a', 'z'], ['get', 'a'], ['touch', 'a', 9], ['del', 'a'], ['del', 'a']],
  types: () => [['set', 'n', 7, 0], ['get', 'n'], ['set', 'json', { total: 12.3, tags: ['a'] }, 0], ['get', 'json'], ['set', 'b', Buffer.from([0, 255, 13, 10]), 0], ['get', 'b']],
  counters: () => [['set', 'c', 5, 0], ['incr', 'c', 3], ['decr', 'c', 10], ['incr', 'nobody', 1]],
  many: () => [['set', 'x', '1', 0], ['getMulti', ['x', 'nobody']]],
};

http.createServer(async (request, response) => {
  const lines = [];
  for (const [name, ...words] of acts[request.url.slice(1)]()) lines.push(inspect(await call(name, ...words), { sorted: true }));
  response.end(lines.join('\n'));
}).listen(Number(port), '127.0.0.1');
