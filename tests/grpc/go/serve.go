package main

// The service of the suite by grpc-go: the same methods as `service.py`, with health checks and reflection.

import (
	"context"
	"errors"
	"io"
	"net"
	"os"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// note sends back the metadata that a client sends to see it again.
func note(ctx context.Context) {
	sent, _ := metadata.FromIncomingContext(ctx)
	for _, value := range sent.Get("x-suite-initial") {
		check(grpc.SetHeader(ctx, metadata.Pairs("x-suite-initial", value)))
	}
	for _, value := range sent.Get("x-suite-trailing-bin") {
		check(grpc.SetTrailer(ctx, metadata.Pairs("x-suite-trailing-bin", value)))
	}
}

// fails is the status that was asked for; a missing thing has details.
func fails(asked *dynamicpb.Message) error {
	if !asked.Has(field(asked, "status")) {
		return nil
	}
	wanted := asked.Get(field(asked, "status")).Message()
	fields := wanted.Descriptor().Fields()
	code := codes.Code(wanted.Get(fields.ByName("code")).Int())
	if code == codes.NotFound && os.Getenv("BUG") == "grpc_status" {
		code = codes.Internal
	}
	made := status.New(code, wanted.Get(fields.ByName("message")).String())
	if code == codes.NotFound {
		detailed, err := made.WithDetails(&errdetails.ErrorInfo{Reason: "NO_SUCH_ORDER", Domain: "suite"})
		check(err)
		made = detailed
	}
	return made.Err()
}

// wants lists the sizes that were asked for, and compresses what is answered if that was asked for of any.
func wants(ctx context.Context, asked *dynamicpb.Message) (sizes []int) {
	list := asked.Get(field(asked, "wanted")).List()
	for place := range list.Len() {
		wanted := list.Get(place).Message()
		fields := wanted.Descriptor().Fields()
		sizes = append(sizes, int(wanted.Get(fields.ByName("size")).Int()))
		if wanted.Get(fields.ByName("compressed")).Bool() {
			check(grpc.SetSendCompressor(ctx, gzip.Name))
		}
	}
	return sizes
}

func response(asked *dynamicpb.Message, size int, total int) *dynamicpb.Message {
	made := message("Response", "{}")
	payload := made.Mutable(field(made, "payload")).Message()
	fields := payload.Descriptor().Fields()
	payload.Set(fields.ByName("body"), protoreflect.ValueOfBytes(make([]byte, size)))
	payload.Set(fields.ByName("text"), asked.Get(field(asked, "payload")).Message().Get(fields.ByName("text")))
	made.Set(field(made, "total"), protoreflect.ValueOfInt64(int64(total)))
	return made
}

func unaryOf(name string, act func(context.Context, *dynamicpb.Message) (proto.Message, error)) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(_ any, ctx context.Context, read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		input := "Request"
		if name == "Nothing" {
			input = "Empty"
		}
		asked := message(input, "{}")
		if err := read(asked); err != nil {
			return nil, err
		}
		return act(ctx, asked)
	}}
}

func one(ctx context.Context, asked *dynamicpb.Message) (proto.Message, error) {
	note(ctx)
	if err := fails(asked); err != nil {
		return nil, err
	}
	size := 0
	if sizes := wants(ctx, asked); len(sizes) > 0 {
		size = sizes[0]
	}
	answer := response(asked, size, body(asked))
	answer.Set(field(answer, "kind"), asked.Get(field(asked, "kind")))
	return answer, nil
}

func sum(_ any, stream grpc.ServerStream) error {
	check(stream.SendHeader(nil))
	total := 0
	for {
		asked := message("Request", "{}")
		if err := stream.RecvMsg(asked); errors.Is(err, io.EOF) {
			answer := message("Response", "{}")
			answer.Set(field(answer, "total"), protoreflect.ValueOfInt64(int64(total)))
			return stream.SendMsg(answer)
		} else if err != nil {
			return err
		}
		total += body(asked)
	}
}

func count(_ any, stream grpc.ServerStream) error {
	asked := message("Request", "{}")
	if err := stream.RecvMsg(asked); err != nil {
		return err
	}
	for number, size := range wants(stream.Context(), asked) {
		if err := stream.SendMsg(response(asked, size, number)); err != nil {
			return err
		}
	}
	return fails(asked)
}

func talk(_ any, stream grpc.ServerStream) error {
	note(stream.Context())
	for {
		asked := message("Request", "{}")
		if err := stream.RecvMsg(asked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := fails(asked); err != nil {
			return err
		}
		for _, size := range wants(stream.Context(), asked) {
			if err := stream.SendMsg(response(asked, size, 0)); err != nil {
				return err
			}
		}
	}
}

// serve serves on these ports; those after the first over TLS.
func serve(ports []string) {
	service := &grpc.ServiceDesc{
		ServiceName: "interop.Interop",
		Metadata:    "interop/interop.proto",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{unaryOf("Unary", one), unaryOf("Nothing", func(context.Context, *dynamicpb.Message) (proto.Message, error) {
			return message("Empty", "{}"), nil
		})},
		Streams: []grpc.StreamDesc{
			{StreamName: "Sum", Handler: sum, ClientStreams: true},
			{StreamName: "Count", Handler: count, ServerStreams: true},
			{StreamName: "Talk", Handler: talk, ClientStreams: true, ServerStreams: true},
		},
	}
	failed := make(chan error)
	for place, port := range ports {
		var options []grpc.ServerOption
		if place > 0 {
			pem := os.Getenv("CERTIFICATE")
			made, err := credentials.NewServerTLSFromFile(pem, pem[:len(pem)-len(".pem")]+".key")
			check(err)
			options = append(options, grpc.Creds(made))
		}
		server := grpc.NewServer(options...)
		server.RegisterService(service, nil)
		grpc_health_v1.RegisterHealthServer(server, health.NewServer())
		described := reflection.NewServerV1(reflection.ServerOptions{Services: server, DescriptorResolver: types})
		grpc_reflection_v1.RegisterServerReflectionServer(server, described)
		older := reflection.NewServer(reflection.ServerOptions{Services: server, DescriptorResolver: types})
		grpc_reflection_v1alpha.RegisterServerReflectionServer(server, older)
		listener, err := net.Listen("tcp", "127.0.0.1:"+port)
		check(err)
		go func() { failed <- server.Serve(listener) }()
	}
	check(<-failed)
}
