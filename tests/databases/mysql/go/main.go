// The statements of corpus.py by Go's driver: an app whose every answer is what the driver understood.
//
//	corpus PORT MODE STATEMENTS
//
// MODE is prepared or interpolated. STATEMENTS is a file that maps the path of a request to SQL with one
// parameter. The database is named by the DB_… variables; POOL is how many connections stay open.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/go-sql-driver/mysql"
)

func open(mode string) *sql.DB {
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", os.Getenv("DB_HOST")+":"+os.Getenv("DB_PORT")
	config.User, config.Passwd, config.DBName = os.Getenv("DB_USER"), os.Getenv("DB_PASSWORD"), os.Getenv("DB_NAME")
	config.ParseTime = mode == "interpolated"
	config.InterpolateParams = mode == "interpolated"
	config.MultiStatements = true
	db, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		panic(err)
	}
	if size, err := strconv.Atoi(os.Getenv("POOL")); err == nil {
		db.SetMaxIdleConns(size)
	}
	return db
}

func ask(db *sql.DB, text string) (any, error) {
	found, err := db.Query(text, 0)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	types, err := found.ColumnTypes()
	if err != nil {
		return nil, err
	}
	told := [][]string{{}}
	for _, column := range types {
		nullable, _ := column.Nullable()
		precision, scale, _ := column.DecimalSize()
		told[0] = append(told[0], fmt.Sprint(column.Name(), " ", column.DatabaseTypeName(), " ", nullable, " ", precision, " ", scale))
	}
	for found.Next() {
		row, into, line := make([]any, len(types)), make([]any, len(types)), []string{}
		for index := range row {
			into[index] = &row[index]
		}
		if err := found.Scan(into...); err != nil {
			return nil, err
		}
		for _, value := range row {
			line = append(line, fmt.Sprintf("%T %v", value, value))
		}
		told = append(told, line)
	}
	return told, found.Err()
}

func write(db *sql.DB) (any, error) {
	told := []string{}
	run, err := db.BeginTx(context.Background(), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return nil, err
	}
	defer run.Rollback()
	statement, err := run.Prepare("INSERT INTO orders (item, amount, due, note) VALUES (?, ?, ?, ?)")
	if err != nil {
		return nil, err
	}
	for _, item := range []string{"cup", "mug", "cup"} {
		done, err := statement.Exec(item, 2.5, "2024-01-01", []byte{0, 255})
		if err != nil {
			told = append(told, err.Error())
			continue
		}
		id, _ := done.LastInsertId()
		rows, _ := done.RowsAffected()
		told = append(told, fmt.Sprint(id, " ", rows))
	}
	return told, run.Commit()
}

func main() {
	statements := map[string]string{}
	file, err := os.ReadFile(os.Args[3])
	if err == nil {
		err = json.Unmarshal(file, &statements)
	}
	if err != nil {
		panic(err)
	}
	db := open(os.Args[2])
	http.HandleFunc("/", func(out http.ResponseWriter, request *http.Request) {
		var told any
		err := db.Ping()
		if err == nil && request.URL.Path == "/write/it" {
			told, err = write(db)
		} else if err == nil {
			told, err = ask(db, statements[request.URL.Path])
		}
		if err != nil {
			told = "error: " + err.Error()
		}
		text, _ := json.Marshal(told)
		out.Header().Set("content-type", "application/json")
		out.Write(text)
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
