// The statements of corpus.py by node-postgres: an app whose every answer is what the driver
// understood.
//
//     node corpus.js PORT plain|named|params STATEMENTS
//
// The database is named by the PG… variables.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const { Pool } = require('pg');

const [port, mode, file] = process.argv.slice(2);
const statements = JSON.parse(fs.readFileSync(file, 'utf8'));
const pool = new Pool({ max: 2 });

function query(path, text) {
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
