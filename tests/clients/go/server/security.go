package main

import (
	"crypto/tls"
	"flag"

	"lanekeeper/tests/clients/go/shared"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// security is how the server is reached: plaintext, or TLS with a certificate.
type security struct {
	certificate, key, clientCA string
}

func (s *security) addFlags() {
	flag.StringVar(&s.certificate, "certificate", "", "shown to clients, who reach us by TLS then")
	flag.StringVar(&s.key, "key", "", "of the certificate")
	flag.StringVar(&s.clientCA, "client-ca", "", "clients must show a certificate of this authority")
}

func (s *security) options() ([]grpc.ServerOption, error) {
	if s.certificate == "" {
		return nil, nil
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
	return []grpc.ServerOption{grpc.Creds(credentials.NewTLS(config))}, nil
}
