// A shop that speaks HTTP/2 without TLS, and calls its warehouse over HTTP/2.
//
//	app PORT           (the environment has WAREHOUSE_URL and SECURE_URL)
//	app PORT prices    (a price list for others, see prices.go)
//
// BUG=total, status or trailers makes it wrong in one answer.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
)

var (
	warehouse = os.Getenv("WAREHOUSE_URL")
	secure    = os.Getenv("SECURE_URL")
	bug       = os.Getenv("BUG")
	client    = &http.Client{Transport: transport(false)}
	overTLS   = &http.Client{Transport: transport(true)}
)

func transport(tls bool) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP2(tls)
	protocols.SetUnencryptedHTTP2(!tls)
	return &http.Transport{Protocols: protocols}
}

type price struct {
	Sku   string `json:"sku"`
	Cents int    `json:"cents"`
}

func call(c *http.Client, method, url string, body io.Reader) (*http.Response, []byte, error) {
	request, err := http.NewRequest(method, url, body)
	if err != nil {
		return nil, nil, err
	}
	if method == "POST" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	if response.ProtoMajor != 2 {
		return nil, nil, errors.New("not HTTP/2 but " + response.Proto)
	}
	content, err := io.ReadAll(response.Body)
	return response, content, err
}

func cents(c *http.Client, base, sku string) (int, error) {
	_, content, err := call(c, "GET", base+"/prices/"+sku, nil)
	if err != nil {
		return 0, err
	}
	var found price
	err = json.Unmarshal(content, &found)
	return found.Cents, err
}

func quote(w http.ResponseWriter, r *http.Request) {
	sku := strings.TrimPrefix(r.URL.Path, "/quote/")
	c, base := client, warehouse
	if r.URL.Query().Get("over") == "tls" {
		c, base = overTLS, secure
	}
	each, err := cents(c, base, sku)
	if err != nil {
		http.Error(w, err.Error(), 502)
		return
	}
	_, content, err := call(c, "POST", base+"/reserve", strings.NewReader(`{"quantity":3}`))
	if err != nil {
		http.Error(w, err.Error(), 502)
		return
	}
	total := each * 3
	if bug == "total" && sku == "A2" {
		total++
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"sku":%q,"total":%d,"warehouse":%s}`, sku, total, content)
}

func many(w http.ResponseWriter, _ *http.Request) {
	var group sync.WaitGroup
	var lock sync.Mutex
	sum, failed := 0, error(nil)
	for number := range 20 {
		group.Add(1)
		go func() {
			defer group.Done()
			found, err := cents(client, warehouse, fmt.Sprintf("A%d", number))
			lock.Lock()
			defer lock.Unlock()
			sum += found
			if err != nil {
				failed = err
			}
		}()
	}
	group.Wait()
	if failed != nil {
		http.Error(w, failed.Error(), 502)
		return
	}
	fmt.Fprintf(w, "sum %d", sum)
}

func upload(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	_, answer, err := call(client, "POST", warehouse+"/digest", bytes.NewReader(content))
	if err != nil {
		http.Error(w, err.Error(), 502)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(answer)
}

func large(w http.ResponseWriter, _ *http.Request) {
	_, content, err := call(client, "GET", warehouse+"/large", nil)
	if err != nil {
		http.Error(w, err.Error(), 502)
		return
	}
	sum := sha256.Sum256(content)
	w.Header().Set("X-Sum", hex.EncodeToString(sum[:]))
	w.Write(content)
}

func trailers(w http.ResponseWriter, _ *http.Request) {
	response, content, err := call(client, "GET", warehouse+"/trailers", nil)
	if err != nil {
		http.Error(w, err.Error(), 502)
		return
	}
	w.Header().Set("Trailer", "X-Seen")
	w.Write(content)
	seen := response.Trailer.Get("X-Checksum")
	if bug == "trailers" {
		seen = "?"
	}
	w.Header().Set("X-Seen", seen)
}

func hints(w http.ResponseWriter, _ *http.Request) {
	_, content, err := call(client, "GET", warehouse+"/hints", nil)
	if err != nil {
		http.Error(w, err.Error(), 502)
		return
	}
	w.Header().Set("Link", "</shop.css>; rel=preload")
	w.WriteHeader(http.StatusEarlyHints)
	w.Header().Del("Link")
	w.Write(content)
}

func broken(w http.ResponseWriter, r *http.Request) {
	_, content, err := call(client, "GET", warehouse+r.URL.Path, nil)
	fmt.Fprintf(w, "%s: %q", map[bool]string{true: "broken off", false: "fine"}[err != nil], content)
}

func missing(w http.ResponseWriter, _ *http.Request) {
	response, _, err := call(client, "GET", warehouse+"/nowhere", nil)
	if err != nil {
		http.Error(w, err.Error(), 502)
		return
	}
	status := response.StatusCode
	if bug == "status" {
		status = 500
	}
	w.WriteHeader(status)
}

func main() {
	if len(os.Args) > 2 {
		prices(os.Args[1])
	}
	http.HandleFunc("/quote/", quote)
	http.HandleFunc("/many", many)
	http.HandleFunc("/upload", upload)
	http.HandleFunc("/large", large)
	http.HandleFunc("/trailers", trailers)
	http.HandleFunc("/hints", hints)
	http.HandleFunc("/reset", broken)
	http.HandleFunc("/half", broken)
	http.HandleFunc("/missing", missing)
	http.HandleFunc("/codes/", codes)
	http.HandleFunc("/breaks/", breaks)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Addr: "127.0.0.1:" + os.Args[1], Protocols: protocols}
	log.Fatal(server.ListenAndServe())
}
