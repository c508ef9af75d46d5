package main

import (
	"context"
	"io"

	"lanekeeper/tests/clients/go/shared"
	"lanekeeper/tests/clients/protos/helloworld"
	"lanekeeper/tests/clients/protos/routeguide"
)

type greeter struct{}

func (greeter) SayHello(_ context.Context, req *helloworld.HelloRequest) (*helloworld.HelloReply, error) {
	return &helloworld.HelloReply{Message: "Hello " + req.Name}, nil
}

type routeGuide struct{}

func featureName(at *routeguide.Point) string {
	for i := 0; i < shared.FeatureCount; i++ {
		if f := shared.FeatureAt(i); samePlace(f.Location, at) {
			return f.Name
		}
	}
	return ""
}

func samePlace(a, b *routeguide.Point) bool {
	return a.GetLatitude() == b.GetLatitude() && a.GetLongitude() == b.GetLongitude()
}

func (routeGuide) GetFeature(_ context.Context, at *routeguide.Point) (*routeguide.Feature, error) {
	return &routeguide.Feature{Name: featureName(at), Location: at}, nil
}

func (routeGuide) ListFeatures(in *routeguide.Rectangle, stream routeguide.RouteGuide_ListFeaturesServer) error {
	for i := 0; i < shared.FeatureCount; i++ {
		f := shared.FeatureAt(i)
		if f.Location.Latitude < in.Lo.Latitude || f.Location.Latitude > in.Hi.Latitude ||
			f.Location.Longitude < in.Lo.Longitude || f.Location.Longitude > in.Hi.Longitude {
			continue
		}
		if err := stream.Send(f); err != nil {
			return err
		}
	}
	return nil
}

func (routeGuide) RecordRoute(stream routeguide.RouteGuide_RecordRouteServer) error {
	summary := &routeguide.RouteSummary{}
	var last *routeguide.Point
	for {
		point, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(summary)
		}
		if err != nil {
			return err
		}
		summary.PointCount++
		if featureName(point) != "" {
			summary.FeatureCount++
		}
		if last != nil {
			summary.Distance += shared.Distance(last, point)
		}
		last = point
	}
}

func (routeGuide) RouteChat(stream routeguide.RouteGuide_RouteChatServer) error {
	var notes []*routeguide.RouteNote
	for {
		note, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		notes = append(notes, note)
		for _, earlier := range notes {
			if !samePlace(earlier.Location, note.Location) {
				continue
			}
			if err := stream.Send(earlier); err != nil {
				return err
			}
		}
	}
}
