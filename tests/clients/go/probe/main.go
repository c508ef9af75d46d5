// Stock health checkers and a reflection client in Go. Usage: probe TARGET CASE...
// Prints "ok CASE" or "FAIL CASE: why" for each case.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"lanekeeper/tests/clients/protos/healthcontrol"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// No case may take longer; it bounds every wait.
const caseTimeout = 20 * time.Second

type probe struct {
	target string
	conn   *grpc.ClientConn
}

var cases = map[string]func(p *probe, ctx context.Context) error{
	"health_check":            healthCheck,
	"health_watch":            healthWatch,
	"health_absent":           healthAbsent,
	"health_balancing":        healthBalancing,
	"health_balancing_absent": healthBalancingAbsent,
	"reflection":              reflection,
	"reflection_absent":       reflectionAbsent,
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: probe TARGET CASE...")
		os.Exit(2)
	}
	conn, err := grpc.Dial(os.Args[1], grpc.WithInsecure())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer conn.Close()
	p := &probe{target: os.Args[1], conn: conn}
	good := true
	for _, name := range os.Args[2:] {
		if err := p.run(name); err != nil {
			fmt.Printf("FAIL %s: %v\n", name, err)
			good = false
			continue
		}
		fmt.Println("ok", name)
	}
	if !good {
		os.Exit(1)
	}
}

func (p *probe) run(name string) error {
	body := cases[name]
	if body == nil {
		return fmt.Errorf("no such case")
	}
	ctx, cancel := context.WithTimeout(context.Background(), caseTimeout)
	defer cancel()
	return body(p, ctx)
}

// setServing changes what the upstream's health service says of a service.
func (p *probe) setServing(ctx context.Context, service string, serving bool) error {
	_, err := healthcontrol.NewHealthControlClient(p.conn).Set(ctx,
		&healthcontrol.Health{Service: service, Serving: serving})
	return err
}

func wantCode(what string, err error, code codes.Code) error {
	if status.Code(err) != code {
		return fmt.Errorf("%s: got %v, want %v", what, err, code)
	}
	return nil
}
