// The app of news.py by Node's driver, which reads a stream on another connection than it opened it on.
//
//     node news.js PORT
'use strict';
const http = require('node:http');
const { MongoClient } = require('mongodb');

const db = new MongoClient(process.env.MONGO_URL).db('shop');
const seen = [];
let waiting = [];

async function told(path) {
  if (path === '/count') return { count: await db.collection('items').countDocuments({}) };
  const value = path.replace('/add/', '');
  await db.collection('items').insertOne({ v: value });
  while (!seen.includes(value)) await new Promise((resolve) => waiting.push(resolve));
  return { came: true, seen: [...seen] };
}

async function main() {
  const stream = db.collection('items').watch();
  stream.on('change', async (event) => {
    await db.collection('notes').insertOne({ about: event.documentKey._id });
    seen.push(event.fullDocument.v);
    waiting.splice(0).forEach((resolve) => resolve());
  });
  await new Promise((resolve) => stream.once('resumeTokenChanged', resolve));
  http
    .createServer(async (request, response) => response.end(JSON.stringify(await told(request.url))))
    .listen(Number(process.argv[2]), '127.0.0.1');
}

main();
