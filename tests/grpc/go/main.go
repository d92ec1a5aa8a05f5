// An app that calls the service of the suite by grpc-go: `app-go PORT`. GET /CASE answers what the case saw.
// `app-go serve PORT [SECURE]` is the service itself.
//
// The service is at UPSTREAM, over TLS if that begins with `https://`. Messages are dynamic, from the descriptor set at DESCRIPTORS: there is no
// generated code.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const limit = 20 * time.Second

var (
	sizes = []int{31415, 9, 2653, 58979}
	sent  = []int{27182, 8, 1828, 45904}
	types *protoregistry.Files
	conn  *grpc.ClientConn
)

// message returns a message of a type of the suite, read from its JSON.
func message(name, json string) *dynamicpb.Message {
	found, err := types.FindDescriptorByName(protoreflect.FullName("interop." + name))
	check(err)
	made := dynamicpb.NewMessage(found.(protoreflect.MessageDescriptor))
	check(protojson.Unmarshal([]byte(json), made))
	return made
}

func request(size int, rest string) *dynamicpb.Message {
	made := message("Request", "{"+rest+"}")
	payload := made.Mutable(field(made, "payload")).Message()
	payload.Set(payload.Descriptor().Fields().ByName("body"), protoreflect.ValueOfBytes(make([]byte, size)))
	return made
}

func field(of *dynamicpb.Message, name string) protoreflect.FieldDescriptor {
	return of.Descriptor().Fields().ByName(protoreflect.Name(name))
}

func body(of *dynamicpb.Message) int {
	payload := of.Get(field(of, "payload")).Message()
	return len(payload.Get(payload.Descriptor().Fields().ByName("body")).Bytes())
}

func total(of *dynamicpb.Message) int64 {
	return of.Get(field(of, "total")).Int()
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func ended(err error) string {
	found := status.Convert(err)
	return fmt.Sprintf("%s %q with %d details", found.Code(), found.Message(), len(found.Details()))
}

func unary(ctx context.Context, asked *dynamicpb.Message, options ...grpc.CallOption) (*dynamicpb.Message, error) {
	answer := message("Response", "{}")
	return answer, conn.Invoke(ctx, "/interop.Interop/Unary", asked, answer, options...)
}

func stream(ctx context.Context, method string, client, server bool) grpc.ClientStream {
	made, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: client, ServerStreams: server}, "/interop.Interop/"+method)
	check(err)
	return made
}

// rest receives until the end.
func rest(from grpc.ClientStream) (seen []int, err error) {
	for {
		answer := message("Response", "{}")
		if err = from.RecvMsg(answer); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return seen, err
		}
		seen = append(seen, body(answer))
	}
}

func wanted(sizes ...int) string {
	each := make([]string, len(sizes))
	for place, size := range sizes {
		each[place] = fmt.Sprintf(`{"size": %d}`, size)
	}
	return `"wanted": [` + strings.Join(each, ", ") + "]"
}

var cases = map[string]func(context.Context) string{
	"empty_unary": func(ctx context.Context) string {
		answer := message("Empty", "{}")
		check(conn.Invoke(ctx, "/interop.Interop/Nothing", message("Empty", "{}"), answer))
		return fmt.Sprint("empty: ", proto.Size(answer) == 0)
	},
	"large_unary": func(ctx context.Context) string {
		answer, err := unary(ctx, request(271828, wanted(314159)))
		check(err)
		return fmt.Sprint(body(answer), " ", total(answer))
	},
	"client_streaming": func(ctx context.Context) string {
		to := stream(ctx, "Sum", true, false)
		for _, size := range sent {
			check(to.SendMsg(request(size, "")))
		}
		check(to.CloseSend())
		answer := message("Response", "{}")
		check(to.RecvMsg(answer))
		return fmt.Sprint(total(answer))
	},
	"server_streaming": func(ctx context.Context) string {
		from := stream(ctx, "Count", false, true)
		check(from.SendMsg(request(0, wanted(sizes...))))
		check(from.CloseSend())
		seen, err := rest(from)
		check(err)
		return fmt.Sprint(seen)
	},
	"ping_pong": func(ctx context.Context) string {
		both := stream(ctx, "Talk", true, true)
		var seen []int
		for place, size := range sizes {
			check(both.SendMsg(request(sent[place], wanted(size))))
			answer := message("Response", "{}")
			check(both.RecvMsg(answer))
			seen = append(seen, body(answer))
		}
		check(both.CloseSend())
		more, err := rest(both)
		check(err)
		return fmt.Sprint(append(seen, more...))
	},
	"empty_stream": func(ctx context.Context) string {
		both := stream(ctx, "Talk", true, true)
		check(both.CloseSend())
		seen, err := rest(both)
		check(err)
		return fmt.Sprint(seen)
	},
	"custom_metadata": func(ctx context.Context) string {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-suite-initial", "first", "x-suite-trailing-bin", "\xab\xab\xab")
		var head, tail metadata.MD
		_, err := unary(ctx, request(0, ""), grpc.Header(&head), grpc.Trailer(&tail))
		check(err)
		return fmt.Sprintf("%q %q", head.Get("x-suite-initial"), tail.Get("x-suite-trailing-bin"))
	},
	"status_code_and_message": func(ctx context.Context) string {
		_, err := unary(ctx, request(0, `"status": {"code": 2, "message": "\t\ntest with white space\r\nand Unicode ☺\t\n"}`))
		both := stream(ctx, "Talk", true, true)
		check(both.SendMsg(request(0, `"status": {"code": 9, "message": "in a stream"}`)))
		_, later := rest(both)
		return ended(err) + "; " + ended(later)
	},
	"not_found": func(ctx context.Context) string {
		_, err := unary(ctx, request(0, `"status": {"code": 5, "message": "no such order"}`))
		return ended(err)
	},
	"unimplemented": func(ctx context.Context) string {
		return ended(conn.Invoke(ctx, "/interop.Interop/Missing", message("Empty", "{}"), message("Empty", "{}")))
	},
	"unimplemented_service": func(ctx context.Context) string {
		return ended(conn.Invoke(ctx, "/interop.Nowhere/Missing", message("Empty", "{}"), message("Empty", "{}")))
	},
	"server_compressed_unary": func(ctx context.Context) string {
		var seen []int
		for _, packed := range []bool{true, false} {
			answer, err := unary(ctx, request(0, fmt.Sprintf(`"wanted": [{"size": 314159, "compressed": %v}]`, packed)))
			check(err)
			seen = append(seen, body(answer))
		}
		return fmt.Sprint(seen)
	},
	"server_compressed_streaming": func(ctx context.Context) string {
		from := stream(ctx, "Count", false, true)
		check(from.SendMsg(request(0, `"wanted": [{"size": 31415, "compressed": true}, {"size": 92653}]`)))
		check(from.CloseSend())
		seen, err := rest(from)
		check(err)
		return fmt.Sprint(seen)
	},
	"cancel_after_begin": func(ctx context.Context) string {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		to := stream(ctx, "Sum", true, false)
		_, err := to.Header()
		check(err)
		cancel()
		return status.Code(to.RecvMsg(message("Response", "{}"))).String()
	},
	"client_compressed_unary": func(ctx context.Context) string {
		answer, err := unary(ctx, request(2000, ""), grpc.UseCompressor(gzip.Name))
		check(err)
		return fmt.Sprint(total(answer))
	},
	"cancel_after_first_response": func(ctx context.Context) string {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		both := stream(ctx, "Talk", true, true)
		check(both.SendMsg(request(27182, wanted(31415))))
		answer := message("Response", "{}")
		check(both.RecvMsg(answer))
		cancel()
		return fmt.Sprint(body(answer), " then ", status.Code(both.RecvMsg(answer)))
	},
	"timeout": func(ctx context.Context) string {
		ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		both := stream(ctx, "Talk", true, true)
		check(both.SendMsg(request(27182, "")))
		return status.Code(both.RecvMsg(message("Response", "{}"))).String()
	},
}

func answer(out http.ResponseWriter, asked *http.Request) {
	ctx, cancel := context.WithTimeout(asked.Context(), limit)
	defer cancel()
	act, known := cases[strings.Trim(asked.URL.Path, "/")]
	if !known {
		http.NotFound(out, asked)
		return
	}
	defer func() {
		if err := recover(); err != nil {
			http.Error(out, fmt.Sprint("failed: ", err), http.StatusInternalServerError)
		}
	}()
	text := act(ctx)
	fmt.Fprint(out, text)
}

func main() {
	bytes, err := os.ReadFile(os.Getenv("DESCRIPTORS"))
	check(err)
	var set descriptorpb.FileDescriptorSet
	check(proto.Unmarshal(bytes, &set))
	types, err = protodesc.NewFiles(&set)
	check(err)
	if os.Args[1] == "serve" {
		serve(os.Args[2:])
	}
	address, secure := strings.CutPrefix(os.Getenv("UPSTREAM"), "https://")
	security := insecure.NewCredentials()
	if secure {
		security = credentials.NewTLS(nil)
	}
	conn, err = grpc.NewClient(address, grpc.WithTransportCredentials(security))
	check(err)
	check(http.ListenAndServe("127.0.0.1:"+os.Args[1], http.HandlerFunc(answer)))
}
