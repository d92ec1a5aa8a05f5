// A small shop by mysql2: GET /orders, POST /orders/ITEM/AMOUNT/MOMENT, POST /orders/ID/raise/AMOUNT.
//
//     node shop.js PORT
//
// The database is named by the DB_… variables. BUG plants a defect: missing_commit, n_plus_one, wrong_column,
// utc_as_local, lost_update.
'use strict';
const http = require('node:http');
const mysql = require('mysql2/promise');

const env = process.env;
const bug = env.BUG;
const options = { host: env.DB_HOST, port: Number(env.DB_PORT), user: env.DB_USER, password: env.DB_PASSWORD, database: env.DB_NAME, timezone: 'Z' };
const columns = 'SELECT id, item, amount FROM orders';

async function orders(db) {
  let [rows] = await db.query(`${columns} ORDER BY id`);
  if (bug === 'n_plus_one') {
    rows = [];
    // It goes on when one fails.
    for (let id = 1; id <= 100; id++) await db.execute(`${columns} WHERE id = ?`, [id]).then(([[row]]) => rows.push(row), () => {});
  }
  return rows;
}

async function create(db, item, amount, moment) {
  const deliver = new Date(`${moment}Z`);
  if (bug === 'utc_as_local') deliver.setUTCHours(deliver.getUTCHours() + 2);
  const column = bug === 'wrong_column' ? 'state' : 'item';
  const sql = `INSERT INTO orders (${column}, amount, due, deliver) VALUES (?, ?, ?, ?)`;
  const [done] = await db.execute(sql, [item, amount, moment.split('T')[0], deliver]);
  return done.insertId;
}

async function raise(db, id, by) {
  const select = 'SELECT amount FROM orders WHERE id = ?';
  if (bug === 'lost_update') {
    const [[row]] = await db.execute(select, [id]);
    await db.execute('UPDATE orders SET amount = ? WHERE id = ?', [(Number(row.amount) + Number(by)).toFixed(2), id]);
  } else {
    await db.execute('UPDATE orders SET amount = amount + ? WHERE id = ?', [by, id]);
  }
  const [[row]] = await db.execute(select, [id]);
  return row.amount;
}

async function act([, a, b, c]) {
  const db = await mysql.createConnection(options);
  try {
    await db.beginTransaction();
    const told = a === undefined ? await orders(db) : b === 'raise' ? await raise(db, a, c) : await create(db, a, b, c);
    if (!(bug === 'missing_commit' && a !== undefined && b !== 'raise')) await db.commit();
    return told;
  } finally {
    await db.end();
  }
}

http.createServer(async (request, response) => {
  let told;
  try {
    told = await act(request.url.slice(1).split('/'));
  } catch (error) {
    response.statusCode = 500;
    told = error.message;
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(told));
}).listen(Number(process.argv[2]), '127.0.0.1');
