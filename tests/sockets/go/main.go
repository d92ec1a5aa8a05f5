// The shop for Go, on the socket of its first argument. STOCK is the socket of the service that it calls; BUG: the
// wrong article is asked for.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

func main() {
	stock := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", os.Getenv("STOCK"))
		},
	}}
	path := os.Args[1]
	os.Remove(path)
	listener, err := net.Listen("unix", path)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	shop := func(answer http.ResponseWriter, request *http.Request) {
		article := request.URL.Path[strings.LastIndex(request.URL.Path, "/")+1:]
		if article == "none" {
			http.Error(answer, "no such article", http.StatusNotFound)
			return
		}
		if os.Getenv("BUG") != "" {
			article = "lamp"
		}
		asked, err := stock.Get("http://stock/stock/" + article)
		if err != nil {
			http.Error(answer, err.Error(), http.StatusBadGateway)
			return
		}
		defer asked.Body.Close()
		io.Copy(answer, asked.Body)
	}
	log.Fatal(http.Serve(listener, http.HandlerFunc(shop)))
}
