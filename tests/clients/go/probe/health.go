package main

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

const (
	serving    = healthpb.HealthCheckResponse_SERVING
	notServing = healthpb.HealthCheckResponse_NOT_SERVING
	unknown    = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
)

func (p *probe) wantHealth(ctx context.Context, service string,
	want healthpb.HealthCheckResponse_ServingStatus) error {
	got, err := healthpb.NewHealthClient(p.conn).Check(ctx,
		&healthpb.HealthCheckRequest{Service: service})
	if err != nil {
		return fmt.Errorf("Check of %q: %v", service, err)
	}
	if got.Status != want {
		return fmt.Errorf("Check of %q: got %v, want %v", service, got.Status, want)
	}
	return nil
}

// healthCheck asks for the whole server, a service that sleeps, and one that nobody knows.
func healthCheck(p *probe, ctx context.Context) error {
	if err := p.wantHealth(ctx, "", serving); err != nil {
		return err
	}
	const asleep = "go.check.asleep"
	_, err := healthpb.NewHealthClient(p.conn).Check(ctx, &healthpb.HealthCheckRequest{Service: asleep})
	if err := wantCode("Check of a service that nobody knows", err, codes.NotFound); err != nil {
		return err
	}
	if err := p.setServing(ctx, asleep, false); err != nil {
		return err
	}
	if err := p.wantHealth(ctx, asleep, notServing); err != nil {
		return err
	}
	// A proxy that spoke for itself would go on saying SERVING.
	for _, now := range []bool{false, true} {
		if err := p.setServing(ctx, "", now); err != nil {
			return err
		}
		want := notServing
		if now {
			want = serving
		}
		if err := p.wantHealth(ctx, "", want); err != nil {
			return err
		}
	}
	return nil
}

func healthWatch(p *probe, ctx context.Context) error {
	const service = "go.watch"
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := healthpb.NewHealthClient(p.conn).Watch(ctx,
		&healthpb.HealthCheckRequest{Service: service})
	if err != nil {
		return err
	}
	if err := wantNext(stream, unknown); err != nil {
		return err
	}
	for _, now := range []bool{false, true, false} {
		if err := p.setServing(ctx, service, now); err != nil {
			return err
		}
		want := notServing
		if now {
			want = serving
		}
		if err := wantNext(stream, want); err != nil {
			return err
		}
	}
	cancel()
	_, err = stream.Recv()
	return wantCode("Watch after its end", err, codes.Canceled)
}

func wantNext(stream healthpb.Health_WatchClient, want healthpb.HealthCheckResponse_ServingStatus) error {
	got, err := stream.Recv()
	if err != nil {
		return fmt.Errorf("Watch: %v, want %v", err, want)
	}
	if got.Status != want {
		return fmt.Errorf("Watch: got %v, want %v", got.Status, want)
	}
	return nil
}

func healthAbsent(p *probe, ctx context.Context) error {
	client := healthpb.NewHealthClient(p.conn)
	_, err := client.Check(ctx, &healthpb.HealthCheckRequest{})
	if err := wantCode("Check", err, codes.Unimplemented); err != nil {
		return err
	}
	stream, err := client.Watch(ctx, &healthpb.HealthCheckRequest{})
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	return wantCode("Watch", err, codes.Unimplemented)
}
