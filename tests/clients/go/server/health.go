package main

import (
	"context"

	"lanekeeper/tests/clients/protos/healthcontrol"

	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// healthControl lets tests decide what grpc-go's stock health service says.
type healthControl struct {
	states *health.Server
}

func (c healthControl) Set(_ context.Context, want *healthcontrol.Health) (*healthcontrol.Health, error) {
	state := healthpb.HealthCheckResponse_NOT_SERVING
	if want.Serving {
		state = healthpb.HealthCheckResponse_SERVING
	}
	c.states.SetServingStatus(want.Service, state)
	return want, nil
}
