// The commands of corpus.json by go-redis: an app whose every answer is what the driver understood.
//
//	corpus PORT PROTOCOL COMMANDS
//
// PROTOCOL is 2 or 3. COMMANDS is a file of lines: a group, a tab, and the words of a command in
// hexadecimal between blanks. The server is the one that the environment's REDIS_URL names. Answers
// /run/GROUP, /pipeline/GROUP, /transaction/GROUP and /messages.
package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"sort"
	"strings"

	"github.com/redis/go-redis/v9"
)

var ctx = context.Background()

func read(path string) map[string][][]any {
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	groups := map[string][][]any{}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		group, rest, _ := strings.Cut(line, "\t")
		words := []any{}
		for _, word := range strings.Split(rest, " ") {
			bytes, err := hex.DecodeString(word)
			if err != nil {
				panic(err)
			}
			words = append(words, string(bytes))
		}
		groups[group] = append(groups[group], words)
	}
	return groups
}

// told is a reply as text that is the same in every run, whatever the order of maps.
func told(value any, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	switch value := value.(type) {
	case map[any]any:
		lines := []string{}
		for key, inner := range value {
			lines = append(lines, told(key, nil)+": "+told(inner, nil))
		}
		sort.Strings(lines)
		return "{" + strings.Join(lines, ", ") + "}"
	case []any:
		lines := []string{}
		for _, inner := range value {
			lines = append(lines, told(inner, nil))
		}
		return "[" + strings.Join(lines, ", ") + "]"
	}
	return fmt.Sprintf("%T %q", value, fmt.Sprint(value))
}

func run(db *redis.Client, commands [][]any) []string {
	lines := []string{}
	for _, words := range commands {
		lines = append(lines, told(db.Do(ctx, words...).Result()))
	}
	return lines
}

func queue(pipe redis.Pipeliner, commands [][]any) []string {
	for _, words := range commands {
		pipe.Do(ctx, words...)
	}
	queued, err := pipe.Exec(ctx)
	lines := []string{told(len(queued), err)}
	for _, one := range queued {
		lines = append(lines, told(one.(*redis.Cmd).Result()))
	}
	return lines
}

func messages(db *redis.Client) []string {
	listener := db.Subscribe(ctx, "a", "b")
	defer listener.Close()
	lines := []string{}
	heard := func() {
		message, err := listener.Receive(ctx)
		lines = append(lines, told(message, err))
	}
	heard()
	heard()
	for _, channel := range []string{"b", "a"} {
		lines = append(lines, told(db.Publish(ctx, channel, "to "+channel).Result()))
		heard()
	}
	return lines
}

func main() {
	options, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		panic(err)
	}
	if os.Args[2] == "2" {
		options.Protocol = 2
	}
	db, groups := redis.NewClient(options), read(os.Args[3])
	answer := func(how string, act func(group string) []string) {
		http.HandleFunc("/"+how+"/", func(out http.ResponseWriter, request *http.Request) {
			_, group, _ := strings.Cut(request.URL.Path[1:], "/")
			fmt.Fprint(out, strings.Join(act(group), "\n"))
		})
	}
	answer("run", func(group string) []string { return run(db, groups[group]) })
	answer("pipeline", func(group string) []string { return queue(db.Pipeline(), groups[group]) })
	answer("transaction", func(group string) []string { return queue(db.TxPipeline(), groups[group]) })
	answer("messages", func(string) []string { return messages(db) })
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
