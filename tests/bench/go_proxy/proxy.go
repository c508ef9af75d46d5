package main

import (
	"context"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Both directions flow at any time, whatever the method is: grpc-go needs to be told.
var bothWays = &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}

// proxy forwards every RPC over the one connection to the upstream.
type proxy struct {
	upstream *grpc.ClientConn
}

// handle runs one RPC: the goroutine that grpc-go has made for it takes the direction to the
// downstream, a second one the other. It returns the upstream's status. Whatever is still going on
// then, or when the downstream cancels or its deadline passes, ends with the context.
func (p proxy) handle(_ interface{}, downstream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(downstream)
	ctx, cancel := context.WithCancel(downstream.Context())
	defer cancel()
	if received, ok := metadata.FromIncomingContext(ctx); ok {
		// Not a copy: neither side changes it. grpc-go leaves out what is its own to send.
		ctx = metadata.NewOutgoingContext(ctx, received)
	}
	upstream, err := p.upstream.NewStream(ctx, bothWays, method)
	if err != nil {
		return err
	}
	go func() {
		if err := toUpstream(downstream, upstream); err != nil {
			cancel()
		}
	}()
	return toDownstream(upstream, downstream)
}

// toUpstream returns an error only if the downstream broke off; what the upstream has to say comes
// as its status.
func toUpstream(downstream grpc.ServerStream, upstream grpc.ClientStream) error {
	var message rawMessage
	for {
		if err := downstream.RecvMsg(&message); err == io.EOF {
			return upstream.CloseSend()
		} else if err != nil {
			return err
		}
		if err := upstream.SendMsg(&message); err != nil {
			return nil
		}
	}
}

func toDownstream(upstream grpc.ClientStream, downstream grpc.ServerStream) error {
	headers, err := upstream.Header()
	if err == nil {
		// At once, not with the first message: an application may wait for them.
		err = downstream.SendHeader(headers)
	}
	var message rawMessage
	for err == nil {
		if err = upstream.RecvMsg(&message); err == nil {
			err = downstream.SendMsg(&message)
		}
	}
	downstream.SetTrailer(upstream.Trailer())
	if err == io.EOF {
		return nil
	}
	if _, ok := status.FromError(err); !ok {
		return status.Error(codes.Unavailable, err.Error())
	}
	return err
}
