package main

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"github.com/golang/protobuf/proto"
	"github.com/golang/protobuf/protoc-gen-go/descriptor"
	"google.golang.org/grpc/codes"
	rpb "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
)

// All services of the Go server, sorted.
var services = []string{
	"grpc.health.v1.Health",
	"grpc.reflection.v1alpha.ServerReflection",
	"helloworld.Greeter",
	"lanekeeper.tests.Echo",
	"lanekeeper.tests.HealthControl",
	"routeguide.RouteGuide",
}

// reflection asks all its questions on one stream.
func reflection(p *probe, ctx context.Context) error {
	stream, err := rpb.NewServerReflectionClient(p.conn).ServerReflectionInfo(ctx)
	if err != nil {
		return err
	}
	if err := wantServices(stream); err != nil {
		return err
	}
	for _, service := range services {
		if err := wantDeclared(stream, service); err != nil {
			return err
		}
	}
	answer, err := ask(stream, &rpb.ServerReflectionRequest{
		MessageRequest: &rpb.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "no.Such"}})
	if err != nil {
		return err
	}
	if got := codes.Code(answer.GetErrorResponse().GetErrorCode()); got != codes.NotFound {
		return fmt.Errorf("a symbol that nobody knows: got %v, want NotFound", answer)
	}
	return stream.CloseSend()
}

func wantServices(stream rpb.ServerReflection_ServerReflectionInfoClient) error {
	answer, err := ask(stream, &rpb.ServerReflectionRequest{
		MessageRequest: &rpb.ServerReflectionRequest_ListServices{ListServices: "*"}})
	if err != nil {
		return err
	}
	var got []string
	for _, service := range answer.GetListServicesResponse().GetService() {
		got = append(got, service.Name)
	}
	sort.Strings(got)
	if strings.Join(got, " ") != strings.Join(services, " ") {
		return fmt.Errorf("services: got %v, want %v", got, services)
	}
	return nil
}

func wantDeclared(stream rpb.ServerReflection_ServerReflectionInfoClient, service string) error {
	answer, err := ask(stream, &rpb.ServerReflectionRequest{
		MessageRequest: &rpb.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service}})
	if err != nil {
		return err
	}
	for _, encoded := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
		file := &descriptor.FileDescriptorProto{}
		if err := proto.Unmarshal(encoded, file); err != nil {
			return err
		}
		for _, declared := range file.Service {
			if file.GetPackage()+"."+declared.GetName() == service {
				return nil
			}
		}
	}
	return fmt.Errorf("no declaration of %s: got %v", service, answer)
}

func ask(stream rpb.ServerReflection_ServerReflectionInfoClient,
	request *rpb.ServerReflectionRequest) (*rpb.ServerReflectionResponse, error) {
	if err := stream.Send(request); err != nil {
		return nil, err
	}
	return stream.Recv()
}

func reflectionAbsent(p *probe, ctx context.Context) error {
	stream, err := rpb.NewServerReflectionClient(p.conn).ServerReflectionInfo(ctx)
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	return wantCode("ServerReflectionInfo", err, codes.Unimplemented)
}
