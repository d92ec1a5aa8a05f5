-- What the server says of how it is spoken to, and an answer that is worth packing.
SHOW SESSION STATUS LIKE 'Compression';
SELECT REPEAT('warm and blue, ', 400) AS hat, id FROM orders ORDER BY id;
