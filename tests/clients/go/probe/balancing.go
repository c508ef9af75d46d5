package main

// grpc-go's own health checking: with a balancer, a channel watches the health of each connection and
// makes no RPC on one that is not serving.

import (
	"context"
	"fmt"

	"lanekeeper/tests/clients/protos/helloworld"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	_ "google.golang.org/grpc/health" // turns the checking on
)

func (p *probe) dialChecking(service string) (*grpc.ClientConn, error) {
	return grpc.Dial(p.target, grpc.WithInsecure(), grpc.WithDefaultServiceConfig(fmt.Sprintf(
		`{"loadBalancingPolicy": "round_robin", "healthCheckConfig": {"serviceName": %q}}`, service)))
}

func healthBalancing(p *probe, ctx context.Context) error {
	const service = "go.balancing"
	if err := p.setServing(ctx, service, false); err != nil {
		return err
	}
	conn, err := p.dialChecking(service)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := awaitState(ctx, conn, connectivity.TransientFailure); err != nil {
		return err
	}
	if err := wantCode("SayHello while not serving", hello(ctx, conn), codes.Unavailable); err != nil {
		return err
	}
	for _, now := range []bool{true, false, true} {
		if err := p.setServing(ctx, service, now); err != nil {
			return err
		}
		state := connectivity.TransientFailure
		if now {
			state = connectivity.Ready
		}
		if err := awaitState(ctx, conn, state); err != nil {
			return err
		}
	}
	return wantCode("SayHello while serving", hello(ctx, conn), codes.OK)
}

// healthBalancingAbsent: a server without the health service counts as serving, but only if it
// answers UNIMPLEMENTED.
func healthBalancingAbsent(p *probe, ctx context.Context) error {
	conn, err := p.dialChecking("anything")
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := awaitState(ctx, conn, connectivity.Ready); err != nil {
		return err
	}
	return wantCode("SayHello", hello(ctx, conn), codes.OK)
}

func awaitState(ctx context.Context, conn *grpc.ClientConn, want connectivity.State) error {
	for state := conn.GetState(); state != want; state = conn.GetState() {
		if !conn.WaitForStateChange(ctx, state) {
			return fmt.Errorf("the channel stays %v, want %v", state, want)
		}
	}
	return nil
}

func hello(ctx context.Context, conn *grpc.ClientConn) error {
	_, err := helloworld.NewGreeterClient(conn).SayHello(ctx, &helloworld.HelloRequest{Name: "probe"})
	return err
}
