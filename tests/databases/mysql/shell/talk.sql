-- What people do in a shell: many kinds of statements, some of them wrong.
SELECT * FROM orders;
SELECT o.id AS number, o.item, l.amount FROM orders o LEFT JOIN ledger l ON l.order_id = o.id;
SHOW TABLES;
DESCRIBE orders;
SHOW CREATE TABLE stock;
EXPLAIN SELECT * FROM orders WHERE id = 1;
BEGIN;
INSERT INTO ledger VALUES (1, 2.5), (2, 3.5);
UPDATE ledger SET amount = amount + 1;
SELECT ROW_COUNT(), LAST_INSERT_ID();
SAVEPOINT a;
DELETE FROM ledger;
ROLLBACK TO a;
COMMIT;
SELECT nothing;
SELECT 1/0, CAST('x' AS signed);
SHOW WARNINGS;
SET @a = 17;
SELECT @a, @a + 1.5, NULL, x'ff', 'ü', CURRENT_USER();
CALL totals(2);
PREPARE p FROM 'SELECT ? + 1';
EXECUTE p USING @a;
DEALLOCATE PREPARE p;
CREATE TEMPORARY TABLE t (a int) SELECT 1 AS a;
SELECT * FROM t;
TRUNCATE TABLE ledger;
SELECT TABLE_NAME FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY 1;
status
