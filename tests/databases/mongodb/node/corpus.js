// The commands of corpus.py by Node's driver: an app whose every answer is what the driver understood.
//
//     node corpus.js PORT STATEMENTS
//
// STATEMENTS is a file of Extended JSON that maps the path of a request to commands. The server is
// named by MONGO_URL.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const { BSON, MongoClient, MongoServerError } = require('mongodb');

const [port, file] = process.argv.slice(2);
const { EJSON } = BSON;
const known = EJSON.parse(fs.readFileSync(file, 'utf8'), { relaxed: false });
const client = new MongoClient(process.env.MONGO_URL, { maxPoolSize: 3 });
const NOISE = ['$clusterTime', 'operationTime', 'localTime', 'electionId', 'opTime'];
const exact = { promoteValues: false, promoteLongs: false, bsonRegExp: true };

/** The replies; errors of the server count as replies. */
async function run(commands) {
  const told = [];
  for (const command of commands) {
    let reply;
    try {
      reply = await client.db('corpus').command(command, exact);
    } catch (error) {
      if (!(error instanceof MongoServerError)) throw error;
      reply = error.errorResponse;
    }
    told.push(Object.fromEntries(Object.entries(reply).filter(([key]) => !NOISE.includes(key))));
  }
  return told;
}

const api = {
  async crud() {
    const kinds = client.db('corpus').collection('crud');
    const _id = (await kinds.insertOne({ item: 'a', n: 1 })).insertedId;
    await kinds.updateOne({ _id }, { $set: { n: 2 } });
    await kinds.replaceOne({ _id }, { item: 'b', about: _id });
    const found = await kinds.findOne({ about: _id });
    const many = Object.values((await kinds.insertMany([{ n: 0 }, { n: 1 }])).insertedIds);
    const count = await kinds.countDocuments({ _id: { $in: many } });
    return [String(_id), found.item, String(many[1]), count, (await kinds.deleteMany({})).deletedCount];
  },
  async cursor() {
    const numbers = client.db('shop').collection('numbers');
    const found = await numbers.find({ _id: { $lt: 20 } }, { sort: { _id: 1 }, batchSize: 3 }).toArray();
    const some = numbers.find({}, { batchSize: 2 });
    const first = await some.next();
    await some.close(); // Closing it early kills it.
    return [found, first, await numbers.aggregate([{ $count: 'all' }]).toArray()];
  },
  async transaction() {
    const kinds = client.db('corpus').collection('moves');
    await kinds.deleteMany({});
    await client.withSession(async (session) => {
      await session.withTransaction(async () => {
        await kinds.insertOne({ _id: 1 }, { session });
        await kinds.updateOne({ _id: 1 }, { $set: { v: 1 } }, { session });
      });
      session.startTransaction();
      await kinds.insertOne({ _id: 2 }, { session });
      await session.abortTransaction();
    });
    return kinds.countDocuments({});
  },
  async bulk() {
    const kinds = client.db('corpus').collection('bulk');
    await kinds.deleteMany({});
    const told = [];
    for (const ordered of [true, false]) {
      const done = await kinds.bulkWrite(
        [
          { insertOne: { document: { _id: 1 } } },
          { insertOne: { document: { v: 2 } } },
          { updateOne: { filter: { _id: 9 }, update: { $set: { v: 1 } }, upsert: true } },
          { deleteOne: { filter: { _id: 1 } } },
        ],
        { ordered },
      );
      told.push(done.insertedCount, done.upsertedCount, done.matchedCount, done.deletedCount);
    }
    return told;
  },
  async unacknowledged() {
    await client.db('corpus').collection('log', { writeConcern: { w: 0 } }).insertOne({ _id: 1 });
    return 'sent';
  },
  /** Two readers at once, so that two connections are in use. */
  async watch() {
    const kinds = client.db('corpus').collection('watched');
    const stream = kinds.watch();
    const next = stream.next();
    await new Promise((resolve) => stream.once('resumeTokenChanged', resolve));
    const _id = (await kinds.insertOne({ v: 1 })).insertedId;
    const event = await next;
    await stream.close();
    return [event.operationType, String(event.documentKey._id), String(_id)];
  },
};

http.createServer(async (request, response) => {
  let told;
  try {
    const act = api[request.url.replace('/api/', '')];
    told = EJSON.stringify(act ? await act() : await run(known[request.url]), { relaxed: false });
  } catch (error) {
    response.statusCode = 500;
    told = JSON.stringify(`failed: ${error.stack}`);
  }
  response.setHeader('content-type', 'application/json');
  response.end(told);
}).listen(Number(port), '127.0.0.1');
