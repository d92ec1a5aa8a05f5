-- What psql and a server have to say to each other.
\set VERBOSITY verbose
SELECT 1 AS one \; SELECT 'two' AS two, NULL AS nothing;
\d
\d+ orders
\dT+
\df pg_sleep
\l shop
SELECT item, amount FROM orders ORDER BY id \gdesc
SELECT 'a' || chr(9) || 'b' AS tab, E'\x41' AS escaped, $$dollar's$$ AS dollar;
SELECT no_such_column FROM orders;
SELECT 1/0;
DO $$ BEGIN RAISE NOTICE 'said by the way'; RAISE WARNING 'twice'; END $$;
BEGIN;
SAVEPOINT a;
INSERT INTO ledger VALUES (NULL, 1);
ROLLBACK TO a;
INSERT INTO ledger VALUES (99, 1) RETURNING *;
ROLLBACK;
COMMIT;
BEGIN \; INSERT INTO ledger VALUES (98, 1) \; bad syntax \; COMMIT;
ROLLBACK;
;
/* only a comment */
LISTEN channel;
NOTIFY channel, 'payload';
UNLISTEN *;
SET TimeZone = 'Europe/Berlin';
SELECT timestamptz '2024-07-01 00:00:00+00', current_setting('TimeZone');
SET DateStyle = 'German';
SELECT date '2024-07-01', interval '1 day 2 hours';
SET bytea_output = 'escape';
SELECT '\x00ff41'::bytea;
PREPARE p(int) AS SELECT item FROM orders WHERE id = $1;
EXECUTE p(1);
DEALLOCATE p;
CREATE TEMPORARY TABLE t (a int, b text, c bytea);
\copy t (a, b) FROM PROGRAM 'printf "1\tone\n2\t\\\\N\n"'
COPY t (a, b) FROM STDIN;
3	three
4	with \t tab
\.
COPY t FROM STDIN WITH (FORMAT csv);
5,"five, six",\x01
not a number,x,y
\.
COPY t TO STDOUT;
COPY t TO STDOUT WITH (FORMAT csv, HEADER);
COPY (SELECT 1 WHERE false) TO STDOUT;
\set FETCH_COUNT 2
SELECT g, repeat('x', g) FROM generate_series(1, 5) AS g;
\unset FETCH_COUNT
SELECT a, b FROM t ORDER BY a \gx
UPDATE t SET b = NULL WHERE a > 1;
DELETE FROM t;
SELECT lo_create(4242) > 0 AS created;
\lo_list
SELECT lo_unlink(4242);
EXPLAIN (COSTS off) SELECT 1;
VALUES (1, 'x'), (2, NULL);
TABLE ledger;
SELECT;
DISCARD ALL;
