// The foreign client in Go. Usage: client TARGET [CASE...] | client TARGET hold RPCS
// TARGET is HOST:PORT or unix:PATH. Prints "ok CASE" or "FAIL CASE: why" for each case.
package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"

	"lanekeeper/tests/clients/protos/echo"
	"lanekeeper/tests/clients/protos/helloworld"
	"lanekeeper/tests/clients/protos/routeguide"

	"google.golang.org/grpc"
)

// No RPC of a case may take longer; it bounds every wait.
const rpcTimeout = 20 * time.Second

type client struct {
	target  string
	conn    *grpc.ClientConn
	greeter helloworld.GreeterClient
	guide   routeguide.RouteGuideClient
	echo    echo.EchoClient
	calls   int
}

var cases = []struct {
	name string
	run  func(c *client, ctx context.Context) error
}{
	{"hello_world", helloWorld},
	{"route_guide", routeGuide},
	{"multiplex", multiplex},
	{"empty_unary", emptyUnary},
	{"large_unary", largeUnary},
	{"message_5mib", message5MiB},
	{"empty_stream", emptyStream},
	{"ping_pong", pingPong},
	{"headers_before_message", headersBeforeMessage},
	{"metadata_roundtrip", metadataRoundtrip},
	{"authority_seen_by_server", authoritySeenByServer},
	{"status_code_and_message", statusCodeAndMessage},
	{"status_details", statusDetails},
	{"trailers_only_error", trailersOnlyError},
	{"unimplemented_method", unimplementedMethod},
	{"deadline_seen_by_server", deadlineSeenByServer},
	{"deadline_exceeded", deadlineExceeded},
	{"cancel_mid_stream", cancelMidStream},
	{"early_finish", earlyFinish},
	{"half_close_then_long_stream", halfCloseThenLongStream},
	{"many_parallel", manyParallel},
	{"retry_trailers_only", retryTrailersOnly},
	{"retry_until_attempts_are_used_up", retryUntilAttemptsAreUsedUp},
	{"retry_after_pushback", retryAfterPushback},
	{"retry_forbidden_by_pushback", retryForbiddenByPushback},
	{"no_retry_after_headers", noRetryAfterHeaders},
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: client TARGET [CASE...] | client TARGET hold RPCS")
		os.Exit(2)
	}
	target, wanted := os.Args[1], os.Args[2:]
	conn, err := grpc.Dial(target, security(), grpc.WithDefaultCallOptions(
		grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)))
	if err != nil {
		fail(err)
	}
	defer conn.Close()
	c := &client{
		target:  target,
		conn:    conn,
		greeter: helloworld.NewGreeterClient(conn),
		guide:   routeguide.NewRouteGuideClient(conn),
		echo:    echo.NewEchoClient(conn),
	}
	if len(wanted) == 2 && wanted[0] == "hold" {
		rpcs, err := strconv.Atoi(wanted[1])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if !report("hold", hold(c, rpcs)) {
			os.Exit(1)
		}
		return
	}
	if !c.runCases(wanted) {
		os.Exit(1)
	}
}

func (c *client) runCases(wanted []string) bool {
	known := map[string]bool{}
	good := true
	for _, test := range cases {
		known[test.name] = true
		if len(wanted) > 0 && !contains(wanted, test.name) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), rpcTimeout)
		good = report(test.name, test.run(c, ctx)) && good
		cancel()
	}
	for _, name := range wanted {
		if !known[name] {
			good = report(name, fmt.Errorf("no such case"))
		}
	}
	return good
}

func contains(list []string, s string) bool {
	for _, each := range list {
		if each == s {
			return true
		}
	}
	return false
}

func report(name string, err error) bool {
	if err != nil {
		fmt.Printf("FAIL %s: %v\n", name, err)
		return false
	}
	fmt.Println("ok", name)
	return true
}

// hold makes RPCs on its one connection, says so, keeps the connection until stdin ends,
// and shows that it still serves.
func hold(c *client, rpcs int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for i := 0; i < rpcs; i++ {
		run := helloWorld
		if i%2 == 1 {
			run = pingPong
		}
		if err := run(c, ctx); err != nil {
			return fmt.Errorf("RPC %d: %v", i, err)
		}
	}
	fmt.Println("holding")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return helloWorld(c, ctx)
}
