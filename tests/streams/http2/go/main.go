// Events over HTTP/2 by net/http: `app PORT`, over TLS if the environment has CERTIFICATE. It calls those of PRICES.
//
// BUG as in `app.mjs`.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
)

var bug, pem = os.Getenv("BUG"), os.Getenv("CERTIFICATE")

func protocols() *http.Protocols {
	made := new(http.Protocols)
	made.SetHTTP2(true)
	made.SetUnencryptedHTTP2(true)
	return made
}

func ticks(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	numbers := []int{1, 2, 3}
	switch bug {
	case "drops_stream_message":
		numbers = []int{1, 3}
	case "reorders_stream":
		numbers = []int{2, 1, 3}
	}
	for _, number := range numbers {
		fmt.Fprintf(w, "id: %d\ndata: {\"tick\": %d}\n\n", number, number)
		w.(http.Flusher).Flush()
	}
	<-r.Context().Done()
}

var client = &http.Client{Transport: &http.Transport{Protocols: protocols()}}

func listen(w http.ResponseWriter, r *http.Request) {
	response, err := client.Get(os.Getenv("PRICES") + "/ticks")
	if err != nil {
		http.Error(w, err.Error(), 502)
		return
	}
	defer response.Body.Close()
	var seen []int
	for lines := bufio.NewScanner(response.Body); len(seen) < 3 && lines.Scan(); {
		var event struct{ Tick int }
		if data, found := strings.CutPrefix(lines.Text(), "data: "); found && json.Unmarshal([]byte(data), &event) == nil {
			seen = append(seen, event.Tick)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string][]int{"ticks": seen})
}

func main() {
	http.HandleFunc("/ticks", ticks)
	http.HandleFunc("/listen", listen)
	server := &http.Server{Addr: "127.0.0.1:" + os.Args[1], Protocols: protocols()}
	if pem != "" {
		log.Fatal(server.ListenAndServeTLS(pem, strings.TrimSuffix(pem, "pem")+"key"))
	}
	log.Fatal(server.ListenAndServe())
}
