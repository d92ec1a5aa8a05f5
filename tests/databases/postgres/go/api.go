// What pgx can do beside reading values: batches, copying, transactions, cursors, errors, notifications.

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

var ctx = context.Background()

// outcome is what a command or a query came to; what the server said of an error is told.
func outcome(told any, err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return fmt.Sprintf("%s %s %s %q %q %d", refused.Severity, refused.Code, refused.Message, refused.Detail, refused.ConstraintName, refused.Position)
	}
	return fmt.Sprint(told, " ", err)
}

func collected(rows pgx.Rows, err error) string {
	if err != nil {
		return outcome(nil, err)
	}
	return outcome(pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		values, err := row.Values()
		return fmt.Sprint(values...), err
	}))
}

func batch(pool *pgxpool.Pool) []string {
	queue, lines := &pgx.Batch{}, []string{}
	queue.Queue("INSERT INTO ledger (order_id, amount) VALUES ($1, $2)", 1, "1.5")
	queue.Queue("SELECT id, item FROM orders WHERE id = $1", 1)
	queue.Queue("SELECT 1 / (SELECT 0)")
	queue.Queue("SELECT 'never'")
	results := pool.SendBatch(ctx, queue)
	lines = append(lines, outcome(results.Exec()))
	for range 3 {
		lines = append(lines, collected(results.Query()))
	}
	return append(lines, outcome("closed", results.Close()), collected(pool.Query(ctx, "SELECT count(*) FROM ledger")))
}

func copying(pool *pgxpool.Pool) []string {
	rows := pgx.CopyFromRows([][]any{{1, "1.5"}, {2, nil}})
	lines := []string{outcome(pool.CopyFrom(ctx, pgx.Identifier{"ledger"}, []string{"order_id", "amount"}, rows))}
	rows = pgx.CopyFromRows([][]any{{3, "3.5"}, {4, "4.5"}})
	lines = append(lines, outcome(pool.CopyFrom(ctx, pgx.Identifier{"ledger"}, []string{"order_id", "amount"}, rows)))
	return append(lines, collected(pool.Query(ctx, "DELETE FROM ledger RETURNING order_id, amount::text")))
}

func transaction(pool *pgxpool.Pool) []string {
	lines := []string{}
	err := pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(outer pgx.Tx) error {
		err := pgx.BeginFunc(ctx, outer, func(inner pgx.Tx) error {
			_, err := inner.Exec(ctx, "SELECT nothing FROM orders")
			return err
		})
		lines = append(lines, outcome("inner", err))
		lines = append(lines, collected(outer.Query(ctx, "SELECT item FROM orders WHERE item = ANY($1) ORDER BY id", []string{"pen", "book"})))
		if _, err := outer.Exec(ctx, "DECLARE walk CURSOR FOR SELECT id FROM orders ORDER BY id"); err != nil {
			return err
		}
		lines = append(lines, collected(outer.Query(ctx, "FETCH 1 FROM walk")), collected(outer.Query(ctx, "FETCH ALL FROM walk")))
		return nil
	})
	_, failed := pool.Exec(ctx, "INSERT INTO orders (item, amount, due) VALUES ('pen', 1, '2024-01-01')")
	return append(lines, outcome("outer", err), outcome(nil, failed))
}

func notify(pool *pgxpool.Pool) []string {
	listener, err := pool.Acquire(ctx)
	if err != nil {
		return []string{outcome(nil, err)}
	}
	defer listener.Release()
	lines := []string{outcome(listener.Exec(ctx, "LISTEN news"))}
	teller, err := pgx.Connect(ctx, "sslmode="+encryption())
	if err != nil {
		return []string{outcome(nil, err)}
	}
	defer teller.Close(ctx)
	for _, text := range []string{"one", "two"} {
		lines = append(lines, outcome(teller.Exec(ctx, "SELECT pg_notify('news', $1)", text)))
		heard, err := listener.Conn().WaitForNotification(ctx)
		lines = append(lines, outcome(heard.Channel+" "+heard.Payload, err))
	}
	return append(lines, outcome(listener.Exec(ctx, "UNLISTEN news")))
}

// api is what a path below /api/ is answered with.
func api(pool *pgxpool.Pool, path string) string {
	acts := map[string]func(*pgxpool.Pool) []string{"batch": batch, "copy": copying, "transaction": transaction, "notify": notify}
	return strings.Join(acts[path](pool), "\n")
}
