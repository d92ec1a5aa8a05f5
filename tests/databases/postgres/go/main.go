// The statements of corpus.py by Go's drivers: an app whose every answer is what the driver
// understood.
//
//	corpus PORT DRIVER STATEMENTS
//	corpus PORT shop
//
// DRIVER is pq, or pgx and one of its modes: pgx-cache_statement, pgx-cache_describe,
// pgx-describe_exec, pgx-exec, pgx-simple_protocol. STATEMENTS is a file that maps the path of a
// request to SQL. The database is named by the PG… variables; POOL
// is how many connections pgx opens at once, and PGSSLMODE whether they are encrypted.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/lib/pq"
)

// Without a word about it there is none.
func encryption() string {
	if mode := os.Getenv("PGSSLMODE"); mode != "" {
		return mode
	}
	return "disable"
}

func rows(query func(string) ([][]any, error), text string) any {
	found, err := query(text)
	if err != nil {
		return "error: " + err.Error()
	}
	told := [][]string{}
	for _, row := range found {
		line := []string{}
		for _, value := range row {
			line = append(line, fmt.Sprintf("%T %v", value, value))
		}
		told = append(told, line)
	}
	return told
}

func byPgx(mode string) (*pgxpool.Pool, func(string) ([][]any, error), error) {
	size := os.Getenv("POOL")
	if size == "" {
		size = "1"
	}
	config, err := pgxpool.ParseConfig(fmt.Sprintf("sslmode=%s pool_min_conns=%s default_query_exec_mode=%s", encryption(), size, mode))
	if err != nil {
		return nil, nil, err
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	return pool, func(text string) ([][]any, error) {
		if err := pool.Ping(context.Background()); err != nil {
			return nil, err
		}
		found, err := pool.Query(context.Background(), text)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(found, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
	}, err
}

func byPq() (*sql.DB, func(string) ([][]any, error), error) {
	db, err := sql.Open("postgres", "sslmode="+encryption())
	return db, func(text string) ([][]any, error) {
		statement, err := db.Prepare(text)
		if err != nil {
			return nil, err
		}
		defer statement.Close()
		found, err := statement.Query()
		if err != nil {
			return nil, err
		}
		defer found.Close()
		names, err := found.Columns()
		if err != nil {
			return nil, err
		}
		var all [][]any
		for found.Next() {
			row, into := make([]any, len(names)), make([]any, len(names))
			for index := range row {
				into[index] = &row[index]
			}
			if err := found.Scan(into...); err != nil {
				return nil, err
			}
			all = append(all, row)
		}
		return all, found.Err()
	}, err
}

func main() {
	if os.Args[2] == "shop" {
		shop(os.Args[1])
	}
	statements := map[string]string{}
	file, err := os.ReadFile(os.Args[3])
	if err == nil {
		err = json.Unmarshal(file, &statements)
	}
	if err != nil {
		panic(err)
	}
	var pool *pgxpool.Pool
	db, query, err := byPq()
	if mode, isPgx := strings.CutPrefix(os.Args[2], "pgx-"); isPgx {
		pool, query, err = byPgx(mode)
	}
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/", func(out http.ResponseWriter, request *http.Request) {
		if path, is := strings.CutPrefix(request.URL.Path, "/api/"); is {
			if pool == nil {
				fmt.Fprint(out, pqAPI(db, path))
			} else {
				fmt.Fprint(out, api(pool, path))
			}
			return
		}
		text, _ := json.Marshal(rows(query, statements[request.URL.Path]))
		out.Header().Set("content-type", "application/json")
		out.Write(text)
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
