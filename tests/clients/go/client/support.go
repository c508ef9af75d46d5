package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"lanekeeper/tests/clients/go/shared"
	"lanekeeper/tests/clients/protos/echo"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// withCallID gives one call the id under which the server's journal keeps it.
func (c *client) withCallID(ctx context.Context, kv ...string) (context.Context, string) {
	c.calls++
	id := fmt.Sprintf("go-%d-%d", os.Getpid(), c.calls)
	return metadata.AppendToOutgoingContext(ctx, append(kv, "call-id", id)...), id
}

func (c *client) journal(id string) (*echo.JournalEntry, error) {
	ctx, cancel := context.WithTimeout(context.Background(), rpcTimeout)
	defer cancel()
	return c.echo.Journal(ctx, &echo.JournalRequest{CallId: id})
}

// awaitCancelled polls the journal until the server saw the call's cancellation.
func (c *client) awaitCancelled(id string) error {
	const bound = 10 * time.Second
	for limit := time.Now().Add(bound); ; time.Sleep(20 * time.Millisecond) {
		entry, err := c.journal(id)
		if err != nil {
			return err
		}
		if entry.Cancelled {
			return nil
		}
		if entry.Ended {
			return fmt.Errorf("the server ended the call without seeing the cancellation")
		}
		if time.Now().After(limit) {
			return fmt.Errorf("the server saw no cancellation in %v (it saw the call: %v)", bound, entry.Known)
		}
	}
}

func wantStatus(err error, code codes.Code, message string) error {
	got := status.Convert(err)
	if got.Code() != code {
		return fmt.Errorf("status %v (%q), want %v", got.Code(), got.Message(), code)
	}
	if message != "" && got.Message() != message {
		return fmt.Errorf("status message %q, want %q", got.Message(), message)
	}
	return nil
}

func wantPayload(got *echo.Response, size int) error {
	if !bytes.Equal(got.GetPayload(), shared.Pattern(size)) {
		return fmt.Errorf("wrong payload: %d bytes, want the pattern of %d", len(got.GetPayload()), size)
	}
	return nil
}

// wantValues checks the values of one key, in order. A Node server cannot tell repeated ASCII keys
// apart: Node's http2 module joins them with ", " before grpc-js sees them, so pass joined for it.
func wantValues(where, key string, got, want []string, joined bool) error {
	if joined && !strings.HasSuffix(key, "-bin") {
		got, want = []string{strings.Join(got, ", ")}, []string{strings.Join(want, ", ")}
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		return fmt.Errorf("%s, key %s: got %q, want %q", where, key, got, want)
	}
	return nil
}

// firstError runs checks made earlier, in order.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
