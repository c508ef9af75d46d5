package main

// A client that retries by gRPC's own policy, and what the server saw of its attempts. This grpc-go
// does so only with GRPC_GO_RETRY=on in its environment, which ../../run sets.

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"lanekeeper/tests/clients/protos/echo"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

const retryServiceConfig = `{"methodConfig": [{
	"name": [{"service": "lanekeeper.tests.Echo"}],
	"retryPolicy": {
		"maxAttempts": 4, "initialBackoff": "0.01s", "maxBackoff": "0.05s",
		"backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]
	}
}]}`

// retrying is another channel to the same target, with the policy.
func (c *client) retrying() (echo.EchoClient, func(), error) {
	conn, err := grpc.Dial(c.target, security(),
		grpc.WithDefaultServiceConfig(retryServiceConfig))
	if err != nil {
		return nil, nil, err
	}
	return echo.NewEchoClient(conn), func() { conn.Close() }, nil
}

// unavailable ends the first attempts with UNAVAILABLE, trailers only.
func unavailable(failAttempts uint32) *echo.Script {
	return &echo.Script{
		StatusCode: int32(codes.Unavailable), StatusMessage: "not yet", FailAttempts: failAttempts}
}

func withPushback(script *echo.Script, pushback time.Duration) *echo.Script {
	ms := strconv.FormatInt(pushback.Milliseconds(), 10)
	script.TrailingMetadata = []*echo.Entry{{Key: "grpc-retry-pushback-ms", Value: []byte(ms)}}
	return script
}

func (c *client) wantAttempts(id string, want ...string) error {
	entry, err := c.journal(id)
	if err != nil {
		return err
	}
	if fmt.Sprintf("%q", entry.PreviousAttempts) != fmt.Sprintf("%q", want) {
		return fmt.Errorf("the attempts' grpc-previous-rpc-attempts: got %q, want %q",
			entry.PreviousAttempts, want)
	}
	return nil
}

// wantUnavailable calls with the policy and wants the failure in spite of it.
func (c *client) wantUnavailable(ctx context.Context, script *echo.Script, header *metadata.MD,
	attempts ...string) error {
	stub, hangUp, err := c.retrying()
	if err != nil {
		return err
	}
	defer hangUp()
	callCtx, id := c.withCallID(ctx)
	_, err = stub.Unary(callCtx, &echo.Request{Script: script}, grpc.Header(header))
	if err := wantStatus(err, codes.Unavailable, "not yet"); err != nil {
		return err
	}
	return c.wantAttempts(id, attempts...)
}

func retryTrailersOnly(c *client, ctx context.Context) error {
	stub, hangUp, err := c.retrying()
	if err != nil {
		return err
	}
	defer hangUp()
	request := &echo.Request{Script: unavailable(2), Payload: []byte("again")}
	callCtx, id := c.withCallID(ctx)
	got, err := stub.Unary(callCtx, request)
	if err != nil {
		return fmt.Errorf("Unary: %v", err)
	}
	if string(got.Payload) != "again" {
		return fmt.Errorf("Unary: got %q", got.Payload)
	}
	if err := c.wantAttempts(id, "", "1", "2"); err != nil {
		return err
	}

	// All of the requests are sent again.
	callCtx, id = c.withCallID(ctx)
	up, err := stub.ClientStream(callCtx)
	if err != nil {
		return err
	}
	for i := 0; i < 3; i++ {
		if err := up.Send(request); err != nil {
			return fmt.Errorf("ClientStream, request %d: %v", i, err)
		}
	}
	total, err := up.CloseAndRecv()
	if err != nil {
		return fmt.Errorf("ClientStream: %v", err)
	}
	if total.Messages != 3 || total.Bytes != 15 {
		return fmt.Errorf("ClientStream: got %v", total)
	}
	return c.wantAttempts(id, "", "1", "2")
}

func retryUntilAttemptsAreUsedUp(c *client, ctx context.Context) error {
	return c.wantUnavailable(ctx, unavailable(4), &metadata.MD{}, "", "1", "2", "3")
}

func retryAfterPushback(c *client, ctx context.Context) error {
	const pushback = 400 * time.Millisecond // far more than the policy's backoff
	stub, hangUp, err := c.retrying()
	if err != nil {
		return err
	}
	defer hangUp()
	callCtx, id := c.withCallID(ctx)
	begin := time.Now()
	_, err = stub.Unary(callCtx, &echo.Request{Script: withPushback(unavailable(1), pushback)})
	if err != nil {
		return err
	}
	if took := time.Since(begin); took < pushback {
		return fmt.Errorf("retried after %v, want %v", took, pushback)
	}
	return c.wantAttempts(id, "", "1")
}

func retryForbiddenByPushback(c *client, ctx context.Context) error {
	return c.wantUnavailable(ctx, withPushback(unavailable(2), -time.Millisecond), &metadata.MD{}, "")
}

// noRetryAfterHeaders: headers commit a call, so an error that comes after them must not look
// trailers-only.
func noRetryAfterHeaders(c *client, ctx context.Context) error {
	script := unavailable(2)
	script.HeadersAtOnce = true
	script.InitialMetadata = []*echo.Entry{{Key: "early", Value: []byte("yes")}}
	var header metadata.MD
	if err := c.wantUnavailable(ctx, script, &header, ""); err != nil {
		return err
	}
	return wantValues("initial metadata", "early", header.Get("early"), []string{"yes"}, false)
}
