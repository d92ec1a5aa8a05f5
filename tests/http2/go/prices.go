package main

// A price list that lets connections of HTTP/1.1 become HTTP/2 (`Upgrade: h2c`), and speaks GraphQL and SOAP: `app PORT prices`.
// Each request is written to the log with its version, so that a test sees how it was called.

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
)

const envelope = `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>` +
	`<r:rateResponse xmlns:r="urn:rates"><r:rate>%d</r:rate></r:rateResponse></soap:Body></soap:Envelope>`

func priceOf(sku string) price {
	number, _ := strconv.Atoi(strings.TrimPrefix(sku, "A"))
	return price{sku, 100 + 7*number}
}

func listed(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(os.Stderr, r.Method, r.URL.Path, r.Proto)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	switch {
	case r.URL.Path == "/graphql":
		var asked struct{ Variables struct{ Sku string } }
		if err := json.Unmarshal(body, &asked); err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"item": priceOf(asked.Variables.Sku)}})
	case r.URL.Path == "/rates":
		rate := 20
		if strings.Contains(string(body), "<country>DE</country>") {
			rate = 19
		}
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		fmt.Fprintf(w, envelope, rate)
	default:
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(priceOf(strings.TrimPrefix(r.URL.Path, "/prices/")))
	}
}

func prices(port string) {
	handler := h2c.NewHandler(http.HandlerFunc(listed), &http2.Server{})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, handler))
}
