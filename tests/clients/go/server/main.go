// The foreign server in Go: Greeter, RouteGuide and Echo on one port, with health and reflection.
// Prints "listening ADDRESS" (the port, or unix:PATH) once it can be dialled.
package main

import (
	"flag"
	"fmt"
	"log"
	"math"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"lanekeeper/tests/clients/protos/echo"
	"lanekeeper/tests/clients/protos/healthcontrol"
	"lanekeeper/tests/clients/protos/helloworld"
	"lanekeeper/tests/clients/protos/routeguide"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

func main() {
	address := flag.String("listen", "127.0.0.1:0", "HOST:PORT or unix:PATH")
	var secure security
	secure.addFlags()
	flag.Parse()
	options, err := secure.options()
	if err != nil {
		log.Fatal(err)
	}

	listener, name, err := listen(*address)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(append(options,
		grpc.MaxRecvMsgSize(math.MaxInt32),
		grpc.MaxSendMsgSize(math.MaxInt32),
	)...)
	helloworld.RegisterGreeterServer(server, greeter{})
	routeguide.RegisterRouteGuideServer(server, routeGuide{})
	echo.RegisterEchoServer(server, &echoServer{journal: newJournal()})
	states := health.NewServer()
	healthpb.RegisterHealthServer(server, states)
	healthcontrol.RegisterHealthControlServer(server, healthControl{states})
	reflection.Register(server)

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		server.Stop()
	}()
	fmt.Println("listening", name)
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}

func listen(address string) (net.Listener, string, error) {
	if path := strings.TrimPrefix(address, "unix:"); path != address {
		listener, err := net.Listen("unix", path)
		return listener, address, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, "", err
	}
	return listener, fmt.Sprint(listener.Addr().(*net.TCPAddr).Port), nil
}
