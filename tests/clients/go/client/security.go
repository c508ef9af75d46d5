package main

import (
	"crypto/tls"
	"fmt"
	"os"

	"lanekeeper/tests/clients/go/shared"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// security is plaintext, or TLS to who is certified by the authority in $TLS_CA; by
// $TLS_CERTIFICATE and its $TLS_KEY, if there are any, we say who we are.
func security() grpc.DialOption {
	authority := os.Getenv("TLS_CA")
	if authority == "" {
		return grpc.WithInsecure()
	}
	config := &tls.Config{}
	var err error
	if config.RootCAs, err = shared.Authorities(authority); err != nil {
		fail(err)
	}
	if certificate := os.Getenv("TLS_CERTIFICATE"); certificate != "" {
		pair, err := tls.LoadX509KeyPair(certificate, os.Getenv("TLS_KEY"))
		if err != nil {
			fail(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return grpc.WithTransportCredentials(credentials.NewTLS(config))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
