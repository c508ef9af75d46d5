// go_proxy is the baseline with lanekeeper's semantics: a proxy that knows no message type, with a
// goroutine per direction of an RPC, as one would write it on grpc-go.
//
// Prints "listening" once it can be dialled; ends on SIGTERM.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// The one setting that made a difference beyond the noise: collecting garbage less often than Go
// does by itself (100) saves 10 to 25 % of the CPU time. Tried and left alone, since they
// cost as often as they saved: windows of 1 MiB per stream and 16 MiB per connection, buffers of
// 128 KiB for reading and writing, a stream worker per core.
const gcPercent = 400

func main() {
	listenOn := flag.String("listen", "", "HOST:PORT or unix:///path")
	upstream := flag.String("upstream", "", "HOST:PORT or unix:///path")
	certificate := flag.String("tls-certificate", "", "PEM file; downstream speaks TLS")
	key := flag.String("tls-key", "", "PEM file")
	flag.Parse()
	if *listenOn == "" || *upstream == "" || flag.NArg() > 0 || (*certificate == "") != (*key == "") {
		flag.Usage()
		os.Exit(2)
	}

	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	connection, err := grpc.Dial("passthrough:///upstream", dialOptions(*upstream)...)
	if err != nil {
		log.Fatal(err)
	}
	options, err := serverOptions(*certificate, *key, connection)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen(splitAddress(*listenOn))
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(options...)

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		server.Stop()
	}()
	fmt.Println("listening")
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}

func serverOptions(certificate, key string, upstream *grpc.ClientConn) ([]grpc.ServerOption, error) {
	options := []grpc.ServerOption{
		grpc.UnknownServiceHandler(proxy{upstream}.handle),
		grpc.CustomCodec(rawCodec{}),
		grpc.MaxRecvMsgSize(math.MaxInt32),
		grpc.MaxSendMsgSize(math.MaxInt32),
	}
	if certificate != "" {
		tls, err := credentials.NewServerTLSFromFile(certificate, key)
		if err != nil {
			return nil, err
		}
		options = append(options, grpc.Creds(tls))
	}
	return options, nil
}

func dialOptions(upstream string) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithInsecure(),
		grpc.WithAuthority("localhost"),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			network, address := splitAddress(upstream)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}),
		grpc.WithDefaultCallOptions(
			grpc.ForceCodec(rawCodec{}),
			grpc.MaxCallRecvMsgSize(math.MaxInt32),
			grpc.MaxCallSendMsgSize(math.MaxInt32),
		),
	}
}

// splitAddress gives the network and the address as package net wants them.
func splitAddress(address string) (string, string) {
	if path := strings.TrimPrefix(address, "unix://"); path != address {
		return "unix", path
	}
	return "tcp", address
}
