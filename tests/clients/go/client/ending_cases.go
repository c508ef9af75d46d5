package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"lanekeeper/tests/clients/go/shared"
	"lanekeeper/tests/clients/protos/echo"

	"github.com/golang/protobuf/proto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const specialMessage = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"

func statusCodeAndMessage(c *client, ctx context.Context) error {
	for code := codes.Code(1); code <= 16; code++ {
		for _, message := range []string{specialMessage, "50% of /a;b %41"} {
			script := &echo.Script{StatusCode: int32(code), StatusMessage: message}
			_, err := c.echo.Unary(ctx, &echo.Request{Script: script})
			if err := wantStatus(err, code, message); err != nil {
				return fmt.Errorf("Unary: %v", err)
			}
			// The status comes after a message.
			script.EndAfter = 1
			stream, err := c.echo.Bidi(ctx)
			if err != nil {
				return err
			}
			if err := stream.Send(&echo.Request{Script: script}); err != nil {
				return err
			}
			if _, err := stream.Recv(); err != nil {
				return fmt.Errorf("Bidi, the message: %v", err)
			}
			_, err = stream.Recv()
			if err := wantStatus(err, code, message); err != nil {
				return fmt.Errorf("Bidi: %v", err)
			}
		}
	}
	return nil
}

// statusDetails compares the bytes of grpc-status-details-bin. grpc-go parses them and gives no
// access to the raw header, so they are marshalled again, and "only once" cannot be seen here.
func statusDetails(c *client, ctx context.Context) error {
	want, err := proto.Marshal(&echo.RichStatus{
		Code:    int32(codes.ResourceExhausted),
		Message: "rich",
		Details: []*echo.Detail{{TypeUrl: "type.example/any", Value: shared.Pattern(200)}},
	})
	if err != nil {
		return err
	}
	_, err = c.echo.Unary(ctx, &echo.Request{Script: &echo.Script{
		StatusCode: int32(codes.ResourceExhausted), StatusMessage: "rich", StatusDetails: want}})
	if err := wantStatus(err, codes.ResourceExhausted, "rich"); err != nil {
		return err
	}
	got, err := proto.Marshal(status.Convert(err).Proto())
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("got %q, want %q", got, want)
	}
	return nil
}

func trailersOnlyError(c *client, ctx context.Context) error {
	var header, trailer metadata.MD
	_, err := c.echo.Unary(ctx, &echo.Request{Script: &echo.Script{
		StatusCode:       int32(codes.NotFound),
		StatusMessage:    "nothing here",
		TrailingMetadata: []*echo.Entry{{Key: "why", Value: []byte("because")}},
	}}, grpc.Header(&header), grpc.Trailer(&trailer))
	if err := wantStatus(err, codes.NotFound, "nothing here"); err != nil {
		return err
	}
	if len(header) != 0 {
		return fmt.Errorf("initial metadata %v, though the answer was an error at once", header)
	}
	return wantValues("trailers", "why", trailer.Get("why"), []string{"because"}, false)
}

func unimplementedMethod(c *client, ctx context.Context) error {
	for _, method := range []string{"/lanekeeper.tests.Echo/NoSuchMethod", "/no.such.Service/Method"} {
		err := c.conn.Invoke(ctx, method, &echo.Request{}, &echo.Response{})
		if err := wantStatus(err, codes.Unimplemented, ""); err != nil {
			return fmt.Errorf("%s: %v", method, err)
		}
	}
	return nil
}

func deadlineSeenByServer(c *client, ctx context.Context) error {
	short, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	callCtx, id := c.withCallID(short)
	if _, err := c.echo.Unary(callCtx, &echo.Request{}); err != nil {
		return err
	}
	entry, err := c.journal(id)
	if err != nil {
		return err
	}
	// Upwards only the rounding of grpc-timeout; downwards a machine under load.
	if entry.DeadlineMs < 5000 || entry.DeadlineMs > 10200 {
		return fmt.Errorf("the server had %d ms left of 10 s", entry.DeadlineMs)
	}

	callCtx, id = c.withCallID(context.Background())
	if _, err := c.echo.Unary(callCtx, &echo.Request{}); err != nil {
		return err
	}
	if entry, err = c.journal(id); err != nil {
		return err
	}
	if entry.DeadlineMs != -1 {
		return fmt.Errorf("the server saw a deadline of %d ms where there was none", entry.DeadlineMs)
	}
	return nil
}

func deadlineExceeded(c *client, ctx context.Context) error {
	blocked := &echo.Request{Script: &echo.Script{BlockUntilCancelled: true}}
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	callCtx, id := c.withCallID(short)
	_, err := c.echo.Unary(callCtx, blocked)
	if err := wantStatus(err, codes.DeadlineExceeded, ""); err != nil {
		return fmt.Errorf("Unary: %v", err)
	}
	if err := c.awaitCancelled(id); err != nil {
		return fmt.Errorf("Unary: %v", err)
	}

	short, cancel = context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	callCtx, id = c.withCallID(short)
	stream, err := c.echo.Bidi(callCtx)
	if err != nil {
		return err
	}
	if err := stream.Send(blocked); err != nil {
		return err
	}
	_, err = stream.Recv()
	if err := wantStatus(err, codes.DeadlineExceeded, ""); err != nil {
		return fmt.Errorf("Bidi: %v", err)
	}
	if err := c.awaitCancelled(id); err != nil {
		return fmt.Errorf("Bidi: %v", err)
	}
	return nil
}

func cancelMidStream(c *client, ctx context.Context) error {
	// The server is waiting for the next message. It has work left for after a half-close: grpcio's
	// server can take a cancellation for one, and would end the call with OK.
	script := &echo.Script{ResponseCount: 1000000}
	callCtx, id := c.withCallID(ctx)
	callCtx, cancel := context.WithCancel(callCtx)
	defer cancel()
	both, err := c.echo.Bidi(callCtx)
	if err != nil {
		return err
	}
	for i := 0; i < 3; i++ {
		if err := both.Send(&echo.Request{Script: script, ResponseBytes: 100}); err != nil {
			return err
		}
		if _, err := both.Recv(); err != nil {
			return err
		}
	}
	cancel()
	_, err = both.Recv()
	if err := firstError(wantStatus(err, codes.Canceled, ""), c.awaitCancelled(id)); err != nil {
		return fmt.Errorf("Bidi: %v", err)
	}

	// The server is sending.
	callCtx, id = c.withCallID(ctx)
	callCtx, cancel = context.WithCancel(callCtx)
	defer cancel()
	down, err := c.echo.ServerStream(callCtx, &echo.Request{Script: script, ResponseBytes: 100})
	if err != nil {
		return err
	}
	for i := 0; i < 3; i++ {
		if _, err := down.Recv(); err != nil {
			return err
		}
	}
	cancel()
	// Messages that are here already may come first.
	for err = nil; err == nil; {
		_, err = down.Recv()
	}
	if err := firstError(wantStatus(err, codes.Canceled, ""), c.awaitCancelled(id)); err != nil {
		return fmt.Errorf("ServerStream: %v", err)
	}
	return nil
}

// earlyFinish: the server ends the call while the client is still writing.
func earlyFinish(c *client, ctx context.Context) error {
	stream, err := c.echo.Bidi(ctx)
	if err != nil {
		return err
	}
	script := &echo.Script{
		EndAfter: 3, StatusCode: int32(codes.FailedPrecondition), StatusMessage: "enough"}
	written := make(chan error, 1)
	go func() {
		request := &echo.Request{Script: script, Payload: shared.Pattern(64 << 10), ResponseBytes: 1}
		for {
			if err := stream.Send(request); err != nil {
				written <- err
				return
			}
		}
	}()
	for i := 0; i < 3; i++ {
		if _, err := stream.Recv(); err != nil {
			return fmt.Errorf("response %d: %v", i, err)
		}
	}
	_, err = stream.Recv()
	if err := wantStatus(err, codes.FailedPrecondition, "enough"); err != nil {
		return err
	}
	// io.EOF is grpc-go's way to say that the call is over and Recv knows its status.
	if err := <-written; err != io.EOF {
		return fmt.Errorf("the writer got %v", err)
	}
	return nil
}
