package main

import (
	"context"
	"fmt"
	"io"

	"lanekeeper/tests/clients/go/shared"
	"lanekeeper/tests/clients/protos/helloworld"
	"lanekeeper/tests/clients/protos/routeguide"
)

func helloWorld(c *client, ctx context.Context) error {
	return hello(c, ctx, "world")
}

func hello(c *client, ctx context.Context, name string) error {
	reply, err := c.greeter.SayHello(ctx, &helloworld.HelloRequest{Name: name})
	if err != nil {
		return err
	}
	if reply.Message != "Hello "+name {
		return fmt.Errorf("got %q", reply.Message)
	}
	return nil
}

func routeGuide(c *client, ctx context.Context) error {
	return firstError(
		getFeature(c, ctx),
		listFeatures(c, ctx),
		recordRoute(c, ctx),
		routeChat(c, ctx, 10))
}

func getFeature(c *client, ctx context.Context) error {
	want := shared.FeatureAt(7)
	there, err := c.guide.GetFeature(ctx, want.Location)
	if err != nil {
		return err
	}
	if there.Name != want.Name {
		return fmt.Errorf("GetFeature: got %q, want %q", there.Name, want.Name)
	}
	nowhere, err := c.guide.GetFeature(ctx, &routeguide.Point{Latitude: 1, Longitude: 2})
	if err != nil {
		return err
	}
	if nowhere.Name != "" || nowhere.Location.GetLatitude() != 1 || nowhere.Location.GetLongitude() != 2 {
		return fmt.Errorf("GetFeature nowhere: got %v", nowhere)
	}
	return nil
}

func listFeatures(c *client, ctx context.Context) error {
	const first, last = 3, 17
	stream, err := c.guide.ListFeatures(ctx, &routeguide.Rectangle{
		Lo: shared.FeatureAt(first).Location, Hi: shared.FeatureAt(last).Location})
	if err != nil {
		return err
	}
	for i := first; ; i++ {
		feature, err := stream.Recv()
		if err == io.EOF && i == last+1 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("ListFeatures, feature %d: %v", i, err)
		}
		if feature.Name != shared.FeatureAt(i).Name {
			return fmt.Errorf("ListFeatures: got %q as feature %d", feature.Name, i)
		}
	}
}

func recordRoute(c *client, ctx context.Context) error {
	route := []*routeguide.Point{
		shared.FeatureAt(0).Location,
		{Latitude: 5, Longitude: -5},
		shared.FeatureAt(24).Location,
		shared.FeatureAt(12).Location,
	}
	stream, err := c.guide.RecordRoute(ctx)
	if err != nil {
		return err
	}
	distance := int64(0)
	for i, point := range route {
		if i > 0 {
			distance += shared.Distance(route[i-1], point)
		}
		if err := stream.Send(point); err != nil {
			return err
		}
	}
	got, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	if got.PointCount != 4 || got.FeatureCount != 3 || got.Distance != distance {
		return fmt.Errorf("RecordRoute: got %v, want 4 points, 3 features, distance %d", got, distance)
	}
	return nil
}

// routeChat writes notes at two places in turn and reads after each write what must come back.
func routeChat(c *client, ctx context.Context, notes int) error {
	stream, err := c.guide.RouteChat(ctx)
	if err != nil {
		return err
	}
	for i := 0; i < notes; i++ {
		note := &routeguide.RouteNote{
			Location: shared.FeatureAt(i % 2).Location, Message: fmt.Sprintf("note %d", i)}
		if err := stream.Send(note); err != nil {
			return err
		}
		for earlier := i % 2; earlier <= i; earlier += 2 {
			got, err := stream.Recv()
			if err != nil {
				return fmt.Errorf("RouteChat, after note %d: %v", i, err)
			}
			if want := fmt.Sprintf("note %d", earlier); got.Message != want {
				return fmt.Errorf("RouteChat, after note %d: got %q, want %q", i, got.Message, want)
			}
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if extra, err := stream.Recv(); err != io.EOF {
		return fmt.Errorf("RouteChat, at the end: got %v, %v", extra, err)
	}
	return nil
}

// multiplex uses two services at the same time over the one channel.
func multiplex(c *client, ctx context.Context) error {
	errs := make(chan error, 2)
	go func() {
		for i := 0; i < 40; i++ {
			if err := hello(c, ctx, fmt.Sprint("number ", i)); err != nil {
				errs <- fmt.Errorf("Greeter: %v", err)
				return
			}
		}
		errs <- nil
	}()
	go func() { errs <- routeChat(c, ctx, 20) }()
	return firstError(<-errs, <-errs)
}
