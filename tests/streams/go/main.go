// The app of the suite in Go: serves WebSocket by gorilla/websocket, and calls by it.
//
//	app-go PORT      FEED is the address (host:port) of the dependency
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/gorilla/websocket"
)

type price struct {
	Price int `json:"price"`
}

func prices(symbol string, compress bool) ([]int, error) {
	dialer := websocket.Dialer{EnableCompression: compress}
	socket, _, err := dialer.Dial("ws://"+os.Getenv("FEED")+"/feed", nil)
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	var welcome map[string]string
	if err := socket.ReadJSON(&welcome); err != nil {
		return nil, err
	}
	if err := socket.WriteJSON(map[string]string{"subscribe": symbol}); err != nil {
		return nil, err
	}
	heard := []int{}
	for len(heard) < 3 {
		var one price
		if err := socket.ReadJSON(&one); err != nil {
			return nil, err
		}
		heard = append(heard, one.Price)
	}
	goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "enough")
	return heard, socket.WriteMessage(websocket.CloseMessage, goodbye)
}

var upgrader = websocket.Upgrader{EnableCompression: true}

func desk(w http.ResponseWriter, r *http.Request) {
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	if err := socket.WriteJSON(map[string]string{"hello": "go"}); err != nil {
		return
	}
	for {
		kind, data, err := socket.ReadMessage()
		if err != nil {
			return
		}
		if kind == websocket.BinaryMessage {
			err = socket.WriteMessage(kind, append(data, 254))
		} else if string(data) == "bye" {
			err = socket.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4002, "see you"))
		} else {
			var asked struct{ Quote string }
			var heard []int
			if err = json.Unmarshal(data, &asked); err == nil {
				heard, err = prices(asked.Quote, false)
			}
			total := 0
			for _, one := range heard {
				total += one
			}
			if err == nil {
				err = socket.WriteJSON(map[string]int{"total": total})
			}
		}
		if err != nil {
			return
		}
	}
}

func main() {
	http.HandleFunc("/desk", desk)
	http.HandleFunc("/prices", func(w http.ResponseWriter, r *http.Request) {
		heard, err := prices(r.URL.Query().Get("symbol"), r.URL.Query().Has("deflate"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintln(w, string(must(json.Marshal(map[string][]int{"prices": heard}))))
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}

func must(text []byte, err error) []byte {
	if err != nil {
		log.Fatal(err)
	}
	return text
}
