// What lib/pq can do beside reading values: parameters and arrays, errors, transactions, copying, notices, notifications.

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"
)

// pqOutcome is what a command came to; what the server said of an error is told.
func pqOutcome(told any, err error) string {
	var refused *pq.Error
	if errors.As(err, &refused) {
		return fmt.Sprintf("%s %s %s %q %q %s", refused.Severity, refused.Code, refused.Message, refused.Detail, refused.Constraint, refused.Position)
	}
	return fmt.Sprint(told, " ", err)
}

// pqDone is how many rows a command changed.
func pqDone(result sql.Result, err error) string {
	if err != nil {
		return pqOutcome(nil, err)
	}
	return pqOutcome(result.RowsAffected())
}

// pqRows is the first column of all rows, as text.
func pqRows(rows *sql.Rows, err error) string {
	if err != nil {
		return pqOutcome(nil, err)
	}
	defer rows.Close()
	told := []string{}
	for rows.Next() {
		var text sql.NullString
		if err := rows.Scan(&text); err != nil {
			return pqOutcome(told, err)
		}
		told = append(told, fmt.Sprint(text.String, text.Valid))
	}
	return pqOutcome(told, rows.Err())
}

func pqParams(db *sql.DB) []string {
	lines := []string{
		pqRows(db.Query("SELECT item FROM orders WHERE item = ANY($1) ORDER BY id", pq.Array([]string{"pen", "book"}))),
		pqRows(db.Query("SELECT encode($1::bytea, 'hex')", []byte{0, 255, 3})),
		pqRows(db.Query("SELECT $1::timestamptz", time.Date(2024, 5, 6, 10, 0, 0, 5000, time.UTC))),
		pqRows(db.Query("SELECT $1::numeric + $2::int", "1.50", 2)),
		pqRows(db.Query("SELECT $1::text", nil)),
		// Without parameters several statements are one text, with several results.
		pqDone(db.Exec("INSERT INTO ledger VALUES (1, 1.5), (2, 2.5); DELETE FROM ledger")),
	}
	var numbers []int64
	err := db.QueryRow("SELECT ARRAY[3, 1, 2]").Scan(pq.Array(&numbers))
	statement, failed := db.Prepare("SELECT amount FROM orders WHERE id = $1")
	if failed != nil {
		return append(lines, pqOutcome(nil, failed))
	}
	defer statement.Close()
	for id := range 4 {
		lines = append(lines, pqRows(statement.Query(id)))
	}
	return append(lines, pqOutcome(numbers, err))
}

func pqErrors(db *sql.DB) []string {
	return []string{
		pqDone(db.Exec("INSERT INTO orders (item, amount, due) VALUES ($1, 1, '2024-01-01')", "pen")),
		pqRows(db.Query("SELECT nothing FROM orders")),
		pqRows(db.Query("SELECT 1 / (id - 2) FROM orders WHERE id < $1 ORDER BY id", 9)),
		pqRows(db.Query("SELECT $1::int", "no number")),
		pqRows(db.Query("SELECT 1")),
	}
}

func pqTransaction(db *sql.DB) []string {
	tx, err := db.BeginTx(context.Background(), &sql.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: false})
	if err != nil {
		return []string{pqOutcome(nil, err)}
	}
	lines := []string{
		pqDone(tx.Exec("INSERT INTO ledger (order_id, amount) VALUES ($1, $2)", 5, "5.5")),
		pqDone(tx.Exec("SAVEPOINT here")),
		pqRows(tx.Query("SELECT nothing FROM orders")),
		pqRows(tx.Query("SELECT 1")),
		pqDone(tx.Exec("ROLLBACK TO here")),
		pqRows(tx.Query("SELECT order_id FROM ledger")),
	}
	lines = append(lines, pqOutcome("rolled back", tx.Rollback()))
	return append(lines, pqRows(db.Query("SELECT count(*) FROM ledger")))
}

func pqCopy(db *sql.DB) []string {
	lines := []string{}
	for _, second := range []any{"2.5", "no amount"} {
		tx, err := db.Begin()
		if err != nil {
			return append(lines, pqOutcome(nil, err))
		}
		into, err := tx.Prepare(pq.CopyIn("ledger", "order_id", "amount"))
		if err != nil {
			return append(lines, pqOutcome(nil, err))
		}
		for number, amount := range []any{"1.5", second, nil} {
			_, err = into.Exec(number+1, amount)
			lines = append(lines, pqOutcome("row", err))
		}
		_, err = into.Exec()
		lines = append(lines, pqOutcome("all", err), pqOutcome("closed", into.Close()), pqRows(tx.Query("SELECT order_id FROM ledger ORDER BY 1")))
		lines = append(lines, pqOutcome("rolled back", tx.Rollback()))
	}
	return lines
}

func pqNotices(*sql.DB) []string {
	connector, err := pq.NewConnector("sslmode=" + encryption())
	if err != nil {
		return []string{pqOutcome(nil, err)}
	}
	lines := []string{}
	db := sql.OpenDB(pq.ConnectorWithNoticeHandler(connector, func(notice *pq.Error) {
		lines = append(lines, notice.Severity+" "+notice.Message)
	}))
	defer db.Close()
	told := pqDone(db.Exec("DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two %', 2; END $$"))
	return append(lines, told)
}

func pqNotify(db *sql.DB) []string {
	listener := pq.NewListener("sslmode="+encryption(), time.Second, time.Minute, nil)
	defer listener.Close()
	lines := []string{pqOutcome("listens", listener.Listen("news"))}
	for _, text := range []string{"one", "two"} {
		lines = append(lines, pqDone(db.Exec("SELECT pg_notify('news', $1)", text)))
		heard := <-listener.Notify
		lines = append(lines, heard.Channel+" "+heard.Extra)
	}
	return append(lines, pqOutcome("deaf", listener.Unlisten("news")))
}

// pqAPI is what a path below /api/ is answered with.
func pqAPI(db *sql.DB, path string) string {
	acts := map[string]func(*sql.DB) []string{
		"params": pqParams, "errors": pqErrors, "transaction": pqTransaction, "copy": pqCopy, "notices": pqNotices, "notify": pqNotify,
	}
	return strings.Join(acts[path](db), "\n")
}
