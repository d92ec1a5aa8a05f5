// The commands of corpus.json by ioredis and node-redis: an app whose every answer is what the driver
// understood.
//
//     node corpus.js PORT DRIVER COMMANDS
//
// DRIVER is ioredis, or redis and a version of the protocol: redis-2, redis-3. COMMANDS is a file of
// lines: a group, a tab, and the words of a command in hexadecimal between blanks. The server is the one
// that the environment's REDIS_URL names. Answers /run/GROUP, /parallel/GROUP, /transaction/GROUP and
// /messages.

'use strict';

const fs = require('node:fs');
const http = require('node:http');
const { once } = require('node:events');
const { inspect } = require('node:util');

const [port, driver, commands] = process.argv.slice(2);
const groups = {};
for (const line of fs.readFileSync(commands, 'utf8').trim().split('\n')) {
  const [group, words] = line.split('\t');
  (groups[group] ??= []).push(words.split(' ').map((word) => Buffer.from(word, 'hex')));
}

const told = (value) => (value instanceof Error ? `error: ${value.message}` : inspect(value, { depth: 9, sorted: true, maxArrayLength: null }));
const settled = (promise) => promise.then(told, told);

function byIoredis() {
  const Redis = require('ioredis');
  const db = new Redis(process.env.REDIS_URL);
  const send = (words) => settled(db.callBuffer(words[0].toString(), ...words.slice(1)));
  return {
    send,
    async transaction(list) {
      const queue = db.multi();
      list.forEach((words) => queue.call(words[0].toString(), ...words.slice(1)));
      return (await queue.exec()).map(([error, value]) => told(error ?? value));
    },
    async messages() {
      const listener = db.duplicate();
      const heard = [];
      heard.push(told(await listener.subscribe('a', 'b')));
      for (const channel of ['b', 'a']) {
        const next = once(listener, 'message');
        heard.push(told(await db.publish(channel, `to ${channel}`)), told(await next));
      }
      heard.push(told(await listener.unsubscribe('a')));
      listener.disconnect();
      return heard;
    },
  };
}

async function byNodeRedis(RESP) {
  const { createClient, RESP_TYPES } = require('redis');
  const db = createClient({ url: process.env.REDIS_URL, RESP });
  db.on('error', () => {});
  await db.connect();
  const raw = db.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  return {
    send: (words) => settled(raw.sendCommand(words)),
    async transaction(list) {
      const queue = db.multi();
      list.forEach((words) => queue.addCommand(words.map(String)));
      return (await queue.execAsPipeline().catch((error) => [error])).map(told);
    },
    async messages() {
      const listener = db.duplicate();
      await listener.connect();
      const heard = [];
      const waiting = [];
      const hear = (message, channel) => waiting.shift()(`${channel}: ${message}`);
      await listener.subscribe(['a', 'b'], hear);
      for (const channel of ['b', 'a']) {
        const next = new Promise((resolve) => waiting.push(resolve));
        heard.push(told(await db.publish(channel, `to ${channel}`)), told(await next));
      }
      await listener.unsubscribe('a');
      listener.destroy();
      return heard;
    },
  };
}

async function main() {
  const db = driver === 'ioredis' ? byIoredis() : await byNodeRedis(Number(driver.split('-')[1]));
  const acts = {
    async run(list) {
      const lines = [];
      for (const words of list) lines.push(await db.send(words));
      return lines;
    },
    parallel: (list) => Promise.all(list.map(db.send)),
    transaction: (list) => db.transaction(list),
    messages: () => db.messages(),
  };
  const server = http.createServer(async (request, response) => {
    const [how, group] = request.url.slice(1).split('/');
    try {
      response.end((await acts[how](groups[group])).join('\n'));
    } catch (error) {
      response.statusCode = 500;
      response.end(String(error.stack));
    }
  });
  server.listen(Number(port), '127.0.0.1');
}

main();
