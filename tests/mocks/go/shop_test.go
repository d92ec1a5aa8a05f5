// Tests that run side by side in one process and name themselves by a header.
package mocks

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
)

type named struct{ name string }

func (n named) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("x-rehearsal-test", n.name)
	return http.DefaultTransport.RoundTrip(request)
}

func rates(t *testing.T) {
	t.Parallel()
	client := http.Client{Transport: named{t.Name()}}
	var seen []int
	for range 3 {
		answer, err := client.Get(os.Getenv("PAYMENTS") + "/rate")
		if err != nil {
			t.Fatal(err)
		}
		var told struct{ Rate int }
		err = json.NewDecoder(answer.Body).Decode(&told)
		answer.Body.Close()
		if err != nil || answer.StatusCode != 200 {
			t.Fatal(answer.Status, err)
		}
		seen = append(seen, told.Rate)
	}
	note(t, seen)
}

func note(t *testing.T, value any) {
	line, _ := json.Marshal([]any{t.Name(), value})
	file, err := os.OpenFile(os.Getenv("SEEN"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fmt.Fprintf(file, "%s\n", line)
}

func TestOne(t *testing.T)   { rates(t) }
func TestTwo(t *testing.T)   { rates(t) }
func TestThree(t *testing.T) { rates(t) }

func TestOwnServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	answer, err := http.Get(server.URL)
	if err != nil || answer.StatusCode != 404 {
		t.Fatal(answer, err)
	}
}
