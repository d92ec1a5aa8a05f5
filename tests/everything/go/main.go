// The shop in Go: net/http, grpc-go, encoding/xml, gorilla/websocket and graphql-go.
//
//	shop-go PORT
//
// The environment is that of ../shop.py. Messages of gRPC are dynamic, from the descriptor set at DESCRIPTORS.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"

	"github.com/gorilla/websocket"
	"github.com/graph-gophers/graphql-go"
	"github.com/graph-gophers/graphql-go/relay"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

var (
	bug   = os.Getenv("BUG")
	types *protoregistry.Files
	conn  *grpc.ClientConn
)

// refused is what the shop does not sell.
type refused struct {
	status int
	why    string
}

func (r refused) Error() string { return r.why }

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// spoiled returns the messages as they are sent on, by a shop that has the defect.
func spoiled[T any](messages []T) []T {
	switch bug {
	case "drops_stream_message":
		return append(messages[:1:1], messages[2:]...)
	case "reorders_stream":
		messages[0], messages[1] = messages[1], messages[0]
	}
	return messages
}

func message(name string) *dynamicpb.Message {
	found, err := types.FindDescriptorByName(protoreflect.FullName("inventory." + name))
	check(err)
	return dynamicpb.NewMessage(found.(protoreflect.MessageDescriptor))
}

func field(of *dynamicpb.Message, name string) protoreflect.Value {
	return of.Get(of.Descriptor().Fields().ByName(protoreflect.Name(name)))
}

func item(sku string) *dynamicpb.Message {
	made := message("Item")
	made.Set(made.Descriptor().Fields().ByName("sku"), protoreflect.ValueOfString(sku))
	return made
}

func look(ctx context.Context, sku string) (*dynamicpb.Message, error) {
	stock := message("Stock")
	err := conn.Invoke(ctx, "/inventory.Inventory/Look", item(sku), stock)
	if told := status.Convert(err); err != nil {
		if told.Code() != codes.NotFound || bug == "grpc_status" {
			return nil, refused{503, "UNAVAILABLE: " + told.Message()}
		}
		return nil, refused{404, "NOT_FOUND: " + told.Message()}
	}
	return stock, nil
}

type delivery struct {
	Number int64  `json:"number"`
	State  string `json:"state"`
}

func follow(ctx context.Context, sku string) (all []delivery, err error) {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/inventory.Inventory/Follow")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(stream.SendMsg(item(sku)), stream.CloseSend()); err != nil {
		return nil, err
	}
	for {
		told := message("Delivery")
		if err := stream.RecvMsg(told); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, delivery{field(told, "number").Int(), field(told, "state").String()})
	}
}

type getTax struct {
	XMLName xml.Name `xml:"urn:taxes GetTax"`
	Country string   `xml:"country"`
	Amount  string   `xml:"amount"`
}

type envelope struct {
	XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Body    struct {
		Asked *getTax  `xml:",omitempty"`
		Fault string   `xml:"Fault>faultstring,omitempty"`
		Tax   *float64 `xml:"GetTaxResponse>tax,omitempty"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
}

// tax returns what a country takes, in cents.
func tax(country string, cents int64) (int64, error) {
	var asked, told envelope
	asked.Body.Asked = &getTax{Country: country, Amount: fmt.Sprintf("%d.%02d", cents/100, cents%100)}
	text, err := xml.Marshal(asked)
	check(err)
	request, err := http.NewRequest("POST", os.Getenv("TAX")+"/tax", bytes.NewReader(text))
	check(err)
	request.Header = http.Header{"Content-Type": {"text/xml"}, "SOAPAction": {`"urn:taxes/GetTax"`}}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if err := xml.NewDecoder(response.Body).Decode(&told); err != nil {
		return 0, err
	}
	if told.Body.Tax == nil {
		if bug == "soap_fault" {
			return 0, nil
		}
		return 0, refused{422, told.Body.Fault}
	}
	return int64(math.Round(*told.Body.Tax * 100)), nil
}

func post(client *http.Client, url string, body, answer any) error {
	text, err := json.Marshal(body)
	check(err)
	response, err := client.Post(url, "application/json", bytes.NewReader(text))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(answer)
}

type order struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	Country  string `json:"country"`
}

type event struct {
	Event   string `json:"event"`
	Cents   int64  `json:"cents"`
	Payment string `json:"payment,omitempty"`
}

// events returns what happens to an order.
func events(ctx context.Context, asked order) ([]event, error) {
	stock, err := look(ctx, asked.SKU)
	if err != nil {
		return nil, err
	}
	priced := field(stock, "cents").Int() * asked.Quantity
	more, err := tax(asked.Country, priced)
	if err != nil {
		return nil, err
	}
	taxed := priced + more
	var paid struct{ Payment string }
	err = post(http.DefaultClient, os.Getenv("PAYMENTS")+"/charges", map[string]int64{"cents": taxed}, &paid)
	return []event{{"priced", priced, ""}, {"taxed", taxed, ""}, {"paid", taxed, paid.Payment}}, err
}

func place(w http.ResponseWriter, r *http.Request) error {
	var asked order
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return err
	}
	told, err := events(r.Context(), asked)
	if err != nil {
		return err
	}
	return answer(w, 201, told[len(told)-1])
}

// orders takes orders over WebSocket, and tells of each event by event.
func orders(w http.ResponseWriter, r *http.Request) error {
	upgrader := websocket.Upgrader{EnableCompression: true}
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil
	}
	defer socket.Close()
	for {
		_, text, err := socket.ReadMessage()
		if err != nil {
			return nil
		}
		var asked order
		if string(text) == "bye" || json.Unmarshal(text, &asked) != nil {
			socket.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "see you"))
			return nil
		}
		told, err := events(r.Context(), asked)
		check(err)
		for _, one := range spoiled(told) {
			check(socket.WriteJSON(one))
		}
	}
}

func deliveries(w http.ResponseWriter, r *http.Request) error {
	all, err := follow(r.Context(), r.PathValue("sku"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, told := range spoiled(all) {
		text, _ := json.Marshal(told)
		fmt.Fprintf(w, "id: %d\nevent: delivery\ndata: %s\n\n", told.Number, text)
	}
	return nil
}

func refund(w http.ResponseWriter, r *http.Request) error {
	var asked, told map[string]any
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return err
	}
	careless := &tls.Config{InsecureSkipVerify: bug == "expired_cert_accepted"}
	err := post(&http.Client{Transport: &http.Transport{TLSClientConfig: careless}}, os.Getenv("REFUNDS")+"/refunds", asked, &told)
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return refused{502, "certificate has expired"}
	} else if err != nil {
		return err
	}
	return answer(w, 200, told)
}

type stockResolver struct{ stock *dynamicpb.Message }

func (r *stockResolver) Sku() string  { return field(r.stock, "sku").String() }
func (r *stockResolver) Count() int32 { return int32(field(r.stock, "count").Int()) }
func (r *stockResolver) Cents() *int32 {
	cents := int32(field(r.stock, "cents").Int())
	if bug == "graphql_null" {
		return nil
	}
	return &cents
}

type query struct{}

func (*query) Item(ctx context.Context, asked struct{ Sku string }) (*stockResolver, error) {
	stock, err := look(ctx, asked.Sku)
	return &stockResolver{stock}, err
}

const schema = "type Query { item(sku: String!): Item! } type Item { sku: String! count: Int! cents: Int }"

func answer(w http.ResponseWriter, status int, body any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(body)
}

// handler answers what is refused with its status.
type handler func(http.ResponseWriter, *http.Request) error

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var why refused
	if err := h(w, r); errors.As(err, &why) {
		answer(w, why.status, map[string]string{"refused": why.why})
	} else if err != nil {
		http.Error(w, err.Error(), 500)
	}
}

func main() {
	described, err := os.ReadFile(os.Getenv("DESCRIPTORS"))
	check(err)
	var set descriptorpb.FileDescriptorSet
	check(proto.Unmarshal(described, &set))
	types, err = protodesc.NewFiles(&set)
	check(err)
	conn, err = grpc.NewClient(os.Getenv("INVENTORY"), grpc.WithTransportCredentials(credentials.NewTLS(nil)))
	check(err)
	http.Handle("POST /orders", handler(place))
	http.Handle("GET /orders", handler(orders))
	http.Handle("GET /deliveries/{sku}", handler(deliveries))
	http.Handle("POST /refunds", handler(refund))
	http.Handle("POST /graphql", &relay.Handler{Schema: graphql.MustParseSchema(schema, &query{})})
	check(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
