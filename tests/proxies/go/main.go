// Calls a server as Go does: GET of the first URL, then POST of a text to the second. The proxy is that of
// the environment.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func say(answer *http.Response, err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 {
		fmt.Println(answer.StatusCode, err)
		os.Exit(1)
	}
	fmt.Println(string(text))
}

func main() {
	say(http.Get(os.Args[1]))
	say(http.Post(os.Args[2], "application/json", strings.NewReader(os.Args[3])))
}
