package main

import (
	"context"
	"fmt"
	"strings"

	"lanekeeper/tests/clients/go/shared"
	"lanekeeper/tests/clients/protos/echo"

	"github.com/golang/protobuf/proto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// headersBeforeMessage wants the server's initial metadata while no message follows it.
func headersBeforeMessage(c *client, ctx context.Context) error {
	script := &echo.Script{
		HeadersAtOnce:       true,
		InitialMetadata:     []*echo.Entry{{Key: "early", Value: []byte("yes")}},
		BlockUntilCancelled: true,
	}

	callCtx, id := c.withCallID(ctx)
	callCtx, cancel := context.WithCancel(callCtx)
	defer cancel()
	down, err := c.echo.ServerStream(callCtx, &echo.Request{Script: script})
	if err != nil {
		return err
	}
	if err := wantEarly("ServerStream", down); err != nil {
		return err
	}
	cancel()
	if err := c.awaitCancelled(id); err != nil {
		return fmt.Errorf("ServerStream: %v", err)
	}

	// The server speaks first: the client has sent headers only.
	encoded, err := proto.Marshal(script)
	if err != nil {
		return err
	}
	callCtx, id = c.withCallID(ctx, "script-bin", string(encoded))
	callCtx, cancel = context.WithCancel(callCtx)
	defer cancel()
	both, err := c.echo.Bidi(callCtx)
	if err != nil {
		return err
	}
	if err := wantEarly("Bidi", both); err != nil {
		return err
	}
	cancel()
	if err := c.awaitCancelled(id); err != nil {
		return fmt.Errorf("Bidi: %v", err)
	}
	return nil
}

func wantEarly(where string, stream grpc.ClientStream) error {
	header, err := stream.Header()
	if err != nil {
		return fmt.Errorf("%s: no initial metadata: %v", where, err)
	}
	return wantValues(where, "early", header.Get("early"), []string{"yes"}, false)
}

func metadataRoundtrip(c *client, ctx context.Context) error {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	values := []struct {
		key    string
		values []string
	}{
		{"one", []string{"a value with spaces, a comma and ~!@#$%^&*()"}},
		{"repeated", []string{"first", "second", "third"}},
		{"one-bin", []string{string(every)}},
		{"repeated-bin", []string{"\x00", "\xff\xfe", "three"}},
	}
	script := &echo.Script{}
	var sent []string
	for _, entry := range values {
		for _, v := range entry.values {
			sent = append(sent, "up-"+entry.key, v)
			script.InitialMetadata = append(script.InitialMetadata,
				&echo.Entry{Key: "down-" + entry.key, Value: []byte(v)})
			script.TrailingMetadata = append(script.TrailingMetadata,
				&echo.Entry{Key: "end-" + entry.key, Value: []byte(v)})
		}
	}
	callCtx, id := c.withCallID(ctx, sent...)
	var header, trailer metadata.MD
	request := &echo.Request{Script: script, Payload: shared.Pattern(10)}
	if _, err := c.echo.Unary(callCtx, request, grpc.Header(&header), grpc.Trailer(&trailer)); err != nil {
		return err
	}
	entry, err := c.journal(id)
	if err != nil {
		return err
	}
	seen := shared.ToMetadata(entry.Metadata)
	for _, e := range values {
		err := firstError(
			wantValues("at the server", "up-"+e.key, seen.Get("up-"+e.key), e.values, entry.Server == "node"),
			wantValues("initial metadata", "down-"+e.key, header.Get("down-"+e.key), e.values, false),
			wantValues("trailers", "end-"+e.key, trailer.Get("end-"+e.key), e.values, false))
		if err != nil {
			return err
		}
	}
	return nil
}

func authoritySeenByServer(c *client, ctx context.Context) error {
	callCtx, id := c.withCallID(ctx)
	if _, err := c.echo.Unary(callCtx, &echo.Request{}); err != nil {
		return err
	}
	entry, err := c.journal(id)
	if err != nil {
		return err
	}
	want := c.target
	if strings.HasPrefix(want, "unix:") {
		want = "localhost"
	}
	// grpcio's server does not tell its handlers the authority.
	if entry.Server != "python" && entry.Authority != want {
		return fmt.Errorf("got %q, want %q", entry.Authority, want)
	}
	return nil
}
