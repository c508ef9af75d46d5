package main

import (
	"context"
	"fmt"
	"io"

	"lanekeeper/tests/clients/go/shared"
	"lanekeeper/tests/clients/protos/echo"

	"github.com/golang/protobuf/proto"
)

func emptyUnary(c *client, ctx context.Context) error {
	got, err := c.echo.Unary(ctx, &echo.Request{})
	if err != nil {
		return err
	}
	if size := proto.Size(got); size != 0 {
		return fmt.Errorf("the response has %d bytes", size)
	}
	return nil
}

func largeUnary(c *client, ctx context.Context) error {
	return unary(c, ctx, 271828, 314159)
}

func unary(c *client, ctx context.Context, up, down int) error {
	got, err := c.echo.Unary(ctx, &echo.Request{Payload: shared.Pattern(up), ResponseBytes: uint32(down)})
	if err != nil {
		return err
	}
	return wantPayload(got, down)
}

func message5MiB(c *client, ctx context.Context) error {
	const size = 5 << 20
	// No response_bytes: the request's own bytes come back.
	got, err := c.echo.Unary(ctx, &echo.Request{Payload: shared.Pattern(size)})
	if err != nil {
		return err
	}
	return wantPayload(got, size)
}

// emptyStream half-closes without a message.
func emptyStream(c *client, ctx context.Context) error {
	up, err := c.echo.ClientStream(ctx)
	if err != nil {
		return err
	}
	total, err := up.CloseAndRecv()
	if err != nil {
		return fmt.Errorf("ClientStream: %v", err)
	}
	if total.Messages != 0 || total.Bytes != 0 {
		return fmt.Errorf("ClientStream: got %v", total)
	}

	callCtx, id := c.withCallID(ctx)
	both, err := c.echo.Bidi(callCtx)
	if err != nil {
		return err
	}
	if err := both.CloseSend(); err != nil {
		return err
	}
	if got, err := both.Recv(); err != io.EOF {
		return fmt.Errorf("Bidi: got %v, %v", got, err)
	}
	entry, err := c.journal(id)
	if err != nil {
		return err
	}
	if !entry.HalfClosed || entry.Messages != 0 {
		return fmt.Errorf("Bidi: the server saw half-close %v, %d messages", entry.HalfClosed, entry.Messages)
	}
	return nil
}

// pingPong never has more than one message under way.
func pingPong(c *client, ctx context.Context) error {
	return alternate(c, ctx, 40)
}

func alternate(c *client, ctx context.Context, rounds int) error {
	ups := []int{27182, 8, 1828, 45904}
	downs := []int{31415, 9, 2653, 58979}
	stream, err := c.echo.Bidi(ctx)
	if err != nil {
		return err
	}
	for i := 0; i < rounds; i++ {
		err := stream.Send(&echo.Request{
			Payload: shared.Pattern(ups[i%4]), ResponseBytes: uint32(downs[i%4])})
		if err != nil {
			return err
		}
		got, err := stream.Recv()
		if err != nil {
			return fmt.Errorf("round %d: %v", i, err)
		}
		if got.Index != uint32(i) {
			return fmt.Errorf("round %d: got response %d", i, got.Index)
		}
		if err := wantPayload(got, downs[i%4]); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if got, err := stream.Recv(); err != io.EOF {
		return fmt.Errorf("at the end: got %v, %v", got, err)
	}
	return nil
}

func halfCloseThenLongStream(c *client, ctx context.Context) error {
	const count, size = 200, 1000
	stream, err := c.echo.Bidi(ctx)
	if err != nil {
		return err
	}
	err = stream.Send(&echo.Request{Script: &echo.Script{ResponseCount: count}, ResponseBytes: size})
	if err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	// One answer to the message, then those that come after the half-close.
	return expectStream(stream, count+1, size)
}

func expectStream(stream interface {
	Recv() (*echo.Response, error)
}, count, size int) error {
	for i := 0; ; i++ {
		got, err := stream.Recv()
		if err == io.EOF && i == count {
			return nil
		}
		if err != nil {
			return fmt.Errorf("response %d of %d: %v", i, count, err)
		}
		if got.Index != uint32(i) {
			return fmt.Errorf("got response %d as number %d", got.Index, i)
		}
		if err := wantPayload(got, size); err != nil {
			return err
		}
	}
}

// manyParallel has 100 RPCs of all kinds open at once; their delays make them end out of order.
func manyParallel(c *client, ctx context.Context) error {
	const rpcs = 100
	errs := make(chan error, rpcs)
	for i := 0; i < rpcs; i++ {
		go func(i int) {
			if err := oneOfMany(c, ctx, i); err != nil {
				errs <- fmt.Errorf("RPC %d: %v", i, err)
				return
			}
			errs <- nil
		}(i)
	}
	var first error
	for i := 0; i < rpcs; i++ {
		first = firstError(first, <-errs)
	}
	return first
}

func oneOfMany(c *client, ctx context.Context, i int) error {
	script := &echo.Script{DelayMs: uint32(i % 7 * 10), ResponseCount: 10}
	size := 100 + i
	switch i % 4 {
	case 0:
		got, err := c.echo.Unary(ctx, &echo.Request{Script: script, ResponseBytes: uint32(size)})
		if err != nil {
			return err
		}
		return wantPayload(got, size)
	case 1:
		stream, err := c.echo.ServerStream(ctx, &echo.Request{Script: script, ResponseBytes: uint32(size)})
		if err != nil {
			return err
		}
		return expectStream(stream, 10, size)
	case 2:
		stream, err := c.echo.ClientStream(ctx)
		if err != nil {
			return err
		}
		for n := 0; n < 10; n++ {
			if err := stream.Send(&echo.Request{Script: script, Payload: shared.Pattern(size)}); err != nil {
				return err
			}
		}
		got, err := stream.CloseAndRecv()
		if err != nil {
			return err
		}
		if got.Messages != 10 || got.Bytes != uint64(10*size) {
			return fmt.Errorf("got %v", got)
		}
		return nil
	default:
		return alternate(c, ctx, 10)
	}
}
