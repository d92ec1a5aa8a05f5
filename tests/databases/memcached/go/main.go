// What memcached can do, by gomemcache: an app whose every answer is what the driver understood.
//
//	corpus PORT MEMCACHED_PORT
package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/bradfitz/gomemcache/memcache"
)

func main() {
	db := memcache.New("127.0.0.1:" + os.Args[2])
	answer := func(path string, act func(tell func(...any))) {
		http.HandleFunc(path, func(out http.ResponseWriter, _ *http.Request) {
			act(func(told ...any) { fmt.Fprintln(out, told...) })
		})
	}
	get := func(tell func(...any), key string) *memcache.Item {
		item, err := db.Get(key)
		if err == nil {
			tell(item.Key, fmt.Sprintf("%q", item.Value), item.Flags)
		} else {
			tell(key, err)
		}
		return item
	}
	answer("/basics", func(tell func(...any)) {
		tell(db.Ping(), db.Set(&memcache.Item{Key: "a", Value: []byte("one two"), Flags: 7, Expiration: 60}))
		get(tell, "a")
		get(tell, "nobody")
		tell(db.Add(&memcache.Item{Key: "a"}), db.Replace(&memcache.Item{Key: "a", Value: []byte("\x00\xff\r\n")}), db.Touch("a", 9))
		get(tell, "a")
		tell(db.Delete("a"), db.Delete("a"))
	})
	answer("/counters", func(tell func(...any)) {
		tell(db.Set(&memcache.Item{Key: "n", Value: []byte("5")}))
		tell(db.Increment("n", 3))
		tell(db.Decrement("n", 10))
		tell(db.Increment("nobody", 1))
	})
	answer("/cas", func(tell func(...any)) {
		tell(db.Set(&memcache.Item{Key: "c", Value: []byte("1")}))
		item := get(tell, "c")
		item.Value = []byte("2")
		tell(db.CompareAndSwap(item), db.CompareAndSwap(item))
	})
	answer("/many", func(tell func(...any)) {
		tell(db.Set(&memcache.Item{Key: "x", Value: []byte("1")}))
		found, err := db.GetMulti([]string{"x", "nobody"})
		tell(len(found), err)
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
