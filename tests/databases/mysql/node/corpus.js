// The statements of corpus.py by Node's drivers: an app whose every answer is what the driver
// understood.
//
//     node corpus.js PORT MODE STATEMENTS
//
// MODE is mysql2-query, mysql2-execute, mariadb-query, mariadb-execute. The database is named by the DB_… variables.
'use strict';
const fs = require('node:fs');
const http = require('node:http');

const [port, mode, file] = process.argv.slice(2);
const statements = JSON.parse(fs.readFileSync(file, 'utf8'));
const [driver, way] = mode.split('-');
const env = process.env;
const options = { host: env.DB_HOST, port: Number(env.DB_PORT), user: env.DB_USER, password: env.DB_PASSWORD, database: env.DB_NAME, connectionLimit: 2 };
const pool = driver === 'mysql2' ? require('mysql2/promise').createPool({ ...options, rowsAsArray: true }) : require('mariadb').createPool({ ...options, rowsAsArray: true, metaAsArray: true });

const shown = (value) => (Buffer.isBuffer(value) ? `bytes ${value.toString('hex')}` : typeof value === 'bigint' ? `${value}n` : value);

async function ask(sql) {
  const [rows, columns] = await pool[way](sql, [0]);
  const told = rows.map((row) => row.map(shown));
  return { told, columns: columns.map((column) => [typeof column.name === 'function' ? column.name() : column.name, column.columnType ?? column.type, column.flags]) };
}

async function write() {
  const told = [];
  const db = await pool.getConnection();
  try {
    await db.beginTransaction();
    const insert = 'INSERT INTO ledger (order_id, amount) VALUES (?, ?)';
    for (const row of [[1, '2.50'], [2, null]]) {
      try {
        const done = await db[way](insert, row);
        const { affectedRows, insertId } = Array.isArray(done) ? done[0] : done;
        told.push([affectedRows, String(insertId)]);
      } catch (error) {
        told.push([error.code, error.errno, error.sqlState]);
      }
    }
    if (driver === 'mariadb') {
      const done = await db.batch(insert, [[3, '1.5'], [4, '2.5'], [5, '3.5']]);
      told.push([(Array.isArray(done) ? done[0] : done).affectedRows]);
    }
    await db.rollback();
  } finally {
    await db.release();
  }
  return told;
}

http.createServer(async (request, response) => {
  let told;
  try {
    told = request.url === '/write/it' ? await write() : await ask(statements[request.url]);
  } catch (error) {
    told = `error: ${error.message}`;
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(told, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)));
}).listen(Number(port), '127.0.0.1');
