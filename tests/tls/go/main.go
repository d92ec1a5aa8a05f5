// An app that calls an HTTPS server by Go's net/http; what it does is in app.py. `app-go call URL` is a client alone, which
// says what it is answered or why not.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

const charge = `{"amount": "19.90"}`

func read(response *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func call(client *http.Client, url string) (string, error) {
	item, err := read(client.Get(url + "/item"))
	if err != nil {
		return "", err
	}
	paid, err := read(client.Post(url+"/charges", "application/json", strings.NewReader(charge)))
	return item + "\n" + paid, err
}

func why(err error) string {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	switch {
	case errors.As(err, &unknown):
		return "failed: unknown authority"
	case errors.As(err, &invalid):
		return fmt.Sprintf("failed: invalid %d", invalid.Reason)
	case errors.As(err, &name):
		return "failed: another name"
	}
	return "failed: " + err.Error()
}

func main() {
	if os.Args[1] == "call" {
		said, err := read(http.Get(os.Args[2]))
		if err != nil {
			said = why(err)
		}
		fmt.Println(said)
		return
	}
	old := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{MaxVersion: tls.VersionTLS12}}}
	clients := map[string]*http.Client{"http": http.DefaultClient, "tls12": old}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		words := strings.Split(r.URL.Path, "/")
		said, err := call(clients[words[1]], os.Getenv(strings.ToUpper(words[2])+"_URL"))
		if err != nil {
			said = why(err)
		}
		io.WriteString(w, said)
	})
	http.HandleFunc("/self/", func(w http.ResponseWriter, r *http.Request) {
		version := tls.VersionName(r.TLS.Version)
		fmt.Fprintf(w, "%s\n%s\n%s", r.URL.Path[6:], version, r.TLS.ServerName)
	})
	if file := os.Getenv("APP_CERTIFICATE"); file != "" {
		panic(http.ListenAndServeTLS("127.0.0.1:"+os.Args[1], file, file, nil))
	}
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
