// An app with faults that depend on the order of its tests, on a race, and on chance; the rest of it has none.
//
//	seeded ADDRESS
//
// FLAKY is how often /flaky fails, of 1. With RACY, /racy looks at what it has asked another goroutine for without
// waiting long enough.
package main

import (
	"fmt"
	"math/rand"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var configured sync.Map

func answer(w http.ResponseWriter, good bool, path string) {
	w.Header().Set("Content-Type", "application/json")
	if !good {
		w.WriteHeader(http.StatusConflict)
	}
	fmt.Fprintf(w, `{"path":%q,"good":%t}`, path, good)
}

// Whether what another goroutine does was done in time. It takes about as long as it is given.
func raced() bool {
	var done atomic.Bool
	go func() {
		time.Sleep(time.Duration(rand.Intn(1000)) * time.Microsecond)
		done.Store(true)
	}()
	time.Sleep(700 * time.Microsecond)
	return done.Load()
}

func main() {
	often, _ := strconv.ParseFloat(os.Getenv("FLAKY"), 64)
	racy := os.Getenv("RACY") != ""
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		good := true
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, "/configure/"):
			configured.Store(strings.TrimPrefix(path, "/configure/"), true)
		case strings.HasPrefix(path, "/guarded/"):
			_, good = configured.Load(strings.TrimPrefix(path, "/guarded/"))
		case path == "/flaky":
			good = rand.Float64() >= often
		case path == "/racy":
			good = !racy || raced()
		}
		answer(w, good, r.URL.Path)
	})
	if err := http.ListenAndServe(os.Args[1], nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
