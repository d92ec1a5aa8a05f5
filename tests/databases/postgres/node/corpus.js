// The statements of corpus.py by node-postgres, or by Sequelize or TypeORM over it: an app whose every answer is
// what the driver understood.
//
//     node corpus.js PORT plain|named|params|sequelize|typeorm STATEMENTS
//
// Paths that begin with /api/ are the driver's own. The database is named by the PG… variables.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const { Pool } = require('pg');

const [port, mode, file] = process.argv.slice(2);
const statements = JSON.parse(fs.readFileSync(file, 'utf8'));
const pool = new Pool({ max: 2 });
const mapped = { sequelize: map, typeorm: entities }[mode]?.();

// Besides the statement: a model that is read, and changed in a transaction.
function map() {
  const { DataTypes, Sequelize } = require('sequelize');
  const { PGDATABASE, PGUSER, PGPASSWORD, PGHOST, PGPORT } = process.env;
  const sequelize = new Sequelize(PGDATABASE, PGUSER, PGPASSWORD, {
    host: PGHOST, port: Number(PGPORT), dialect: 'postgres', logging: false, pool: { max: 1, idle: 600000, evict: 600000 },
  });
  const columns = { item: DataTypes.TEXT, amount: DataTypes.DECIMAL(10, 2), paid: DataTypes.BOOLEAN, due: DataTypes.DATEONLY };
  const Order = sequelize.define('order', columns, { tableName: 'orders', timestamps: false });
  return async (text) => {
    const orders = await Order.findAll({ where: { paid: false }, order: ['id'], limit: 2 });
    await sequelize.transaction((transaction) => Order.update({ due: '2024-06-01' }, { where: { id: 2 }, transaction }));
    const [rows] = await sequelize.query(text);
    return { rows: [orders, rows], fields: [] };
  };
}

// Besides the statement: an entity with another that it belongs to, saved and found and removed in a transaction.
function entities() {
  const { DataSource, EntitySchema } = require('typeorm');
  const { PGDATABASE, PGUSER, PGPASSWORD, PGHOST, PGPORT } = process.env;
  const Order = new EntitySchema({
    name: 'Order', tableName: 'orders',
    columns: { id: { type: 'int', primary: true, generated: true }, item: { type: 'text' }, amount: { type: 'numeric' }, due: { type: 'date' }, tags: { type: 'text', array: true, default: [] } },
  });
  const Entry = new EntitySchema({
    name: 'Entry', tableName: 'ledger', columns: { order_id: { type: 'int', primary: true }, amount: { type: 'numeric' } },
    relations: { order: { type: 'many-to-one', target: 'Order', joinColumn: { name: 'order_id' }, createForeignKeyConstraints: false } },
  });
  const source = new DataSource({
    type: 'postgres', host: PGHOST, port: Number(PGPORT), username: PGUSER, password: PGPASSWORD, database: PGDATABASE,
    entities: [Order, Entry], extra: { max: 1 },
  });
  const ready = source.initialize();
  return async (text) => {
    await ready;
    const told = await source.transaction('SERIALIZABLE', async (manager) => {
      const order = await manager.save(Order, { item: 'cup', amount: '2.50', due: '2024-01-01', tags: ['a b', ''] });
      await manager.insert(Entry, { order_id: order.id, amount: '2.50' });
      const found = await manager.find(Entry, { relations: { order: true }, where: { order: { item: 'cup' } } });
      const counted = await manager.createQueryBuilder(Order, 'o').where('o.amount > :least', { least: '1' }).orderBy('o.id').limit(2).getManyAndCount();
      const twice = await manager.transaction((inner) => inner.insert(Order, { item: 'pen', amount: '1', due: '2024-01-01' })).catch((error) => error.message);
      await manager.delete(Entry, { order_id: order.id });
      await manager.remove(found[0].order);
      return [found.length, counted, twice];
    });
    return { rows: [told, await source.query(text)], fields: [] };
  };
}

const refused = ({ severity, code, message, detail, position, table, constraint }) => ({ severity, code, message, detail, position, table, constraint });
const told = (text, values) => pool.query(text, values).then(({ command, rowCount, rows }) => ({ command, rowCount, rows }), refused);

const api = {
  async errors() {
    const lines = [];
    for (const text of ['SELEC 1', 'SELECT nothing FROM orders', 'SELECT 1 / (SELECT 0)', "INSERT INTO orders (item, amount, due) VALUES ('pen', 1, now())"]) {
      lines.push(await told(text), await told({ text, values: [] }));
    }
    lines.push(await told('SELECT $1::int', ['x']), await told('SELECT $1::int, $2::jsonb, $3::timestamptz, $4::text[]', [7, { a: [1] }, new Date(0), ['a b', null]]));
    return lines;
  },
  async several() {
    const results = await pool.query('SELECT 1 AS a; UPDATE orders SET paid = false; SELECT NULL AS b, ARRAY[1, 2] AS c');
    return results.map(({ command, rowCount, rows }) => ({ command, rowCount, rows }));
  },
  async transaction() {
    const db = await pool.connect();
    const lines = [];
    for (const text of ['BEGIN', 'INSERT INTO ledger VALUES (1, 1.5)', 'SAVEPOINT a', 'SELECT 1 / 0', 'SELECT 1', 'ROLLBACK TO a', 'SELECT count(*) FROM ledger', 'ROLLBACK']) {
      lines.push(await db.query(text).then(({ command, rowCount, rows }) => ({ command, rowCount, rows }), refused));
    }
    db.release();
    return lines;
  },
  // All at once on two connections.
  parallel: () => Promise.all([1, 2, 3, 4, 5].map((number) => told('SELECT $1::int * 2 AS n', [number]))),
  async cursor() {
    const Cursor = require('pg-cursor');
    const db = await pool.connect();
    const cursor = db.query(new Cursor('SELECT n FROM generate_series(1, $1::int) n', [5]));
    const lines = [await cursor.read(2), await cursor.read(2)];
    await cursor.close();
    db.release();
    return lines;
  },
  async notify() {
    const { Client } = require('pg');
    const listener = new Client();
    await listener.connect();
    await listener.query('LISTEN news');
    const lines = [];
    for (const text of ['one', "it's two"]) {
      const heard = new Promise((resolve) => listener.once('notification', resolve));
      await told('SELECT pg_notify($1, $2)', ['news', text]);
      const { channel, payload } = await heard;
      lines.push({ channel, payload });
    }
    await listener.end();
    return lines;
  },
};

function query(path, text) {
  if (mapped) return mapped(text);
  if (mode === 'named') return pool.query({ name: path, text, rowMode: 'array' });
  if (mode === 'params') return pool.query({ text: `${text}, $1::text`, values: ["it's"], rowMode: 'array' });
  return pool.query({ text, rowMode: 'array' });
}

http.createServer(async (request, response) => {
  let told;
  try {
    const act = api[request.url.replace('/api/', '')];
    const { rows, fields } = act ? { rows: await act(), fields: [] } : await query(request.url, statements[request.url]);
    told = { rows, fields: fields.map((field) => `${field.name} ${field.dataTypeID}`) };
  } catch (error) {
    told = `error: ${error.message}`;
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(told));
}).listen(Number(port), '127.0.0.1');
