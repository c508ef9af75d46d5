package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"

	"lanekeeper/tests/clients/go/shared"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// security is how the server is reached, and whether it tells who got in.
type security struct {
	certificate, key, clientCA string
	tellCalls                  bool
}

func (s *security) addFlags() {
	flag.StringVar(&s.certificate, "certificate", "", "shown to clients, who reach us by TLS then")
	flag.StringVar(&s.key, "key", "", "of the certificate")
	flag.StringVar(&s.clientCA, "client-ca", "", "clients must show a certificate of this authority")
	flag.BoolVar(&s.tellCalls, "tell-calls", false, `print "call METHOD" at the start of each unary RPC`)
}

func (s *security) options() ([]grpc.ServerOption, error) {
	var options []grpc.ServerOption
	if s.tellCalls {
		options = append(options, grpc.UnaryInterceptor(tellCall))
	}
	if s.certificate == "" {
		return options, nil
	}
	pair, err := tls.LoadX509KeyPair(s.certificate, s.key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if s.clientCA != "" {
		if config.ClientCAs, err = shared.Authorities(s.clientCA); err != nil {
			return nil, err
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return append(options, grpc.Creds(credentials.NewTLS(config))), nil
}

func tellCall(ctx context.Context, request interface{}, info *grpc.UnaryServerInfo,
	handler grpc.UnaryHandler) (interface{}, error) {
	fmt.Println("call", info.FullMethod)
	return handler(ctx, request)
}
