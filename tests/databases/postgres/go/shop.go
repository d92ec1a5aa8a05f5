package main

// A small shop by pgx: `corpus PORT shop`. GET /orders, POST /orders/ITEM/AMOUNT/MOMENT, POST /orders/ID/raise/AMOUNT.
// BUG plants a defect: missing_commit, n_plus_one, wrong_column, utc_as_local, lost_update.

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

var bug = os.Getenv("BUG")

func orders(ctx context.Context, tx pgx.Tx) (string, error) {
	const columns = "SELECT id, item, amount::text FROM orders "
	one := func(row pgx.CollectableRow) (line [3]any, err error) {
		values, err := row.Values()
		copy(line[:], values)
		return line, err
	}
	found, err := tx.Query(ctx, columns+"ORDER BY id")
	if err != nil {
		return "", err
	}
	all, err := pgx.CollectRows(found, one)
	if bug == "n_plus_one" {
		for id := 1; id <= 100; id++ {
			// It goes on when one fails.
			if found, failed := tx.Query(ctx, columns+"WHERE id = $1", id); failed == nil {
				pgx.CollectRows(found, one)
			}
		}
	}
	return fmt.Sprintln(all), err
}

func create(ctx context.Context, tx pgx.Tx, item, amount, moment string) (told string, err error) {
	deliver, err := time.Parse("2006-01-02T15:04:05", moment)
	if err != nil {
		return "", err
	}
	if bug == "utc_as_local" {
		deliver = deliver.Add(2 * time.Hour)
	}
	column := "item"
	if bug == "wrong_column" {
		column = "state"
	}
	var id int
	sql := "INSERT INTO orders (" + column + ", amount, due, deliver) VALUES ($1, $2, $3, $4) RETURNING id"
	err = tx.QueryRow(ctx, sql, item, amount, deliver, deliver).Scan(&id)
	return fmt.Sprintln(id), err
}

func raise(ctx context.Context, tx pgx.Tx, id, by string) (amount string, err error) {
	if bug != "lost_update" {
		err = tx.QueryRow(ctx, "UPDATE orders SET amount = amount + $1 WHERE id = $2 RETURNING amount::text", by, id).Scan(&amount)
		return amount, err
	}
	var before, more float64
	if err = tx.QueryRow(ctx, "SELECT amount FROM orders WHERE id = $1", id).Scan(&before); err == nil {
		if _, err = fmt.Sscan(by, &more); err == nil {
			amount = fmt.Sprintf("%.2f", before+more)
			_, err = tx.Exec(ctx, "UPDATE orders SET amount = $1 WHERE id = $2", amount, id)
		}
	}
	return amount, err
}

func act(path []string) (told string, err error) {
	ctx := context.Background()
	db, err := pgx.Connect(ctx, "sslmode=disable")
	if err != nil {
		return "", err
	}
	defer db.Close(ctx)
	tx, err := db.Begin(ctx)
	if err != nil {
		return "", err
	}
	switch {
	case len(path) == 1:
		told, err = orders(ctx, tx)
	case path[2] == "raise":
		told, err = raise(ctx, tx, path[1], path[3])
	default:
		told, err = create(ctx, tx, path[1], path[2], path[3])
	}
	if err == nil && !(bug == "missing_commit" && len(path) > 1 && path[2] != "raise") {
		err = tx.Commit(ctx)
	}
	return told, err
}

func shop(port string) {
	http.HandleFunc("/", func(out http.ResponseWriter, request *http.Request) {
		told, err := act(strings.Split(strings.Trim(request.URL.Path, "/"), "/"))
		if err != nil {
			out.WriteHeader(500)
			told = err.Error()
		}
		fmt.Fprint(out, told)
	})
	panic(http.ListenAndServe("127.0.0.1:"+port, nil))
}
