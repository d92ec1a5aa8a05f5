// Tests of node:test that leave their names in a file.
import assert from "node:assert";
import { appendFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

const file = process.env.REHEARSAL_TESTS && join(process.env.REHEARSAL_TESTS, String(process.pid));
beforeEach((t) => file && writeFileSync(file, t.name));
afterEach(() => file && writeFileSync(file, ""));

const note = (name, value) => appendFileSync(process.env.SEEN, JSON.stringify([name, value]) + "\n");
const rate = async () => (await (await fetch(`${process.env.PAYMENTS}/rate`)).json()).rate;

for (const name of ["one", "two"]) {
  test(`rates ${name}`, async () => note(name, [await rate(), await rate()]));
}

test("charge", async () => {
  const body = JSON.stringify({ amount: "5.00" });
  const answer = await fetch(`${process.env.PAYMENTS}/charges`, { method: "POST", body });
  assert.equal(answer.status, 201);
  note("charge", await answer.json());
});

test("a server of its own", async () => {
  const server = createServer((_, answer) => answer.end("mine"));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  assert.equal(await (await fetch(`http://127.0.0.1:${server.address().port}/`)).text(), "mine");
  server.closeAllConnections();
  server.close();
});
