// The statements of corpus.py by node-postgres, or by Sequelize over it: an app whose every answer is
// what the driver understood.
//
//     node corpus.js PORT plain|named|params|sequelize STATEMENTS
//
// The database is named by the PG… variables.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const { Pool } = require('pg');

const [port, mode, file] = process.argv.slice(2);
const statements = JSON.parse(fs.readFileSync(file, 'utf8'));
const pool = new Pool({ max: 2 });
const mapped = mode === 'sequelize' && map();

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

function query(path, text) {
  if (mapped) return mapped(text);
  if (mode === 'named') return pool.query({ name: path, text, rowMode: 'array' });
  if (mode === 'params') return pool.query({ text: `${text}, $1::text`, values: ["it's"], rowMode: 'array' });
  return pool.query({ text, rowMode: 'array' });
}

http.createServer(async (request, response) => {
  let told;
  try {
    const { rows, fields } = await query(request.url, statements[request.url]);
    told = { rows, fields: fields.map((field) => `${field.name} ${field.dataTypeID}`) };
  } catch (error) {
    told = `error: ${error.message}`;
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(told));
}).listen(Number(port), '127.0.0.1');
