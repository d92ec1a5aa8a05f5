// What memcached can do, by Node's drivers: an app whose every answer is what the driver understood.
//
//     node corpus.js PORT MEMCACHED_PORT memcached|memjs

'use strict';

const http = require('node:http');
const { promisify, inspect } = require('node:util');

const [port, server, driver] = process.argv.slice(2);

function byMemcached() {
  const Memcached = require('memcached');
  const db = new Memcached(`127.0.0.1:${server}`, { poolSize: 2 });
  const call = (name, ...words) => promisify(db[name]).apply(db, words);
  return {
    call,
    basics: [['set', 'a', 'one two', 60], ['get', 'a'], ['get', 'nobody'], ['add', 'a', 'x', 0], ['replace', 'a', 'y', 0], ['append', 'a', 'z'], ['get', 'a'], ['touch', 'a', 9], ['del', 'a'], ['del', 'a']],
    types: [['set', 'n', 7, 0], ['get', 'n'], ['set', 'json', { total: 12.3, tags: ['a'] }, 0], ['get', 'json'], ['set', 'b', Buffer.from([0, 255, 13, 10]), 0], ['get', 'b']],
    counters: [['set', 'c', 5, 0], ['incr', 'c', 3], ['decr', 'c', 10], ['incr', 'nobody', 1]],
    many: [['set', 'x', '1', 0], ['getMulti', ['x', 'nobody']]],
  };
}

function byMemjs() {
  const db = require('memjs').Client.create(`127.0.0.1:${server}`, { retries: 1, timeout: 30, conntimeout: 30 });
  const plain = (told) => (told && Buffer.isBuffer(told.value) ? { value: told.value, flags: told.flags } : told);
  return {
    call: async (name, ...words) => plain(await db[name](...words)),
    basics: [['set', 'a', 'one two', { expires: 60 }], ['get', 'a'], ['get', 'nobody'], ['add', 'a', 'x', {}], ['replace', 'a', 'y', {}], ['append', 'a', 'z'], ['prepend', 'a', 'w'], ['get', 'a'], ['touch', 'a', 9], ['delete', 'a'], ['delete', 'a']],
    types: [['set', 'b', Buffer.from([0, 255, 13, 10]), {}], ['get', 'b'], ['set', 'long', 'x'.repeat(70000), {}], ['get', 'long']],
    counters: [['set', 'c', '5', {}], ['increment', 'c', 3, { initial: 1 }], ['decrement', 'c', 10, {}], ['increment', 'fresh', 1, { initial: 40 }], ['get', 'c']],
    many: [['set', 'x', '1', {}], ['get', 'x'], ['get', 'y']],
  };
}

const acts = driver === 'memjs' ? byMemjs() : byMemcached();

http.createServer(async (request, response) => {
  const calls = acts[request.url.slice(1)];
  const one = ([name, ...words]) => acts.call(name, ...words).catch((error) => `error: ${error.message}`);
  const told = [];
  if (request.url === '/many') told.push(...await Promise.all(calls.map(one)));
  else for (const words of calls) told.push(await one(words));
  response.end(told.map((value) => inspect(value, { sorted: true, maxStringLength: 99 })).join('\n'));
}).listen(Number(port), '127.0.0.1');
