package main

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
)

// How Go's client names the code with which a stream or a connection was ended.
var code = regexp.MustCompile(`(?:; |ErrCode=)([A-Z0-9_]{2,})`)

// Asks the warehouse, which may refuse the stream, and says by which code it did: a client that may ask again does so.
func codes(w http.ResponseWriter, r *http.Request) {
	if _, _, err := call(client, "GET", warehouse+"/prices/A1", nil); err != nil {
		http.Error(w, err.Error(), 502)
		return
	}
	_, content, err := call(client, "GET", warehouse+r.URL.Path, nil)
	if err == nil {
		fmt.Fprintf(w, "answered %s", content)
		return
	}
	said := code.FindStringSubmatch(err.Error())
	if said == nil {
		http.Error(w, err.Error(), 502)
		return
	}
	fmt.Fprintf(w, "code %s", said[1])
}

// Ends the client's stream: Go's server has one code for that.
func breaks(w http.ResponseWriter, _ *http.Request) {
	if os.Getenv("BUG") == "breaks" {
		fmt.Fprint(w, "an answer")
		return
	}
	panic(http.ErrAbortHandler)
}
