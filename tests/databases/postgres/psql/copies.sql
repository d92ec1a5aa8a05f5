-- Data copied in and out within texts of several statements.
CREATE TEMPORARY TABLE t (a int, b text);
BEGIN \; COPY t FROM STDIN \; SELECT count(*) FROM t \; COMMIT;
1	one
2	two
\.
COPY t FROM STDIN \; SELECT 'between' \; COPY t FROM STDIN;
3	three
\.
4	four
\.
SELECT 1 \; COPY t TO STDOUT \; SELECT 2;
COPY t FROM STDIN \; COPY no_such_table FROM STDIN;
5	five
\.
COPY no_such_table FROM STDIN;
SELECT 1 \; COPY t FROM STDIN \; SELECT 2;
x	not a number
\.
SELECT count(*) FROM t;
