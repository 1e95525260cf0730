// number-server: the tutorial's client-streaming server on grpc-go, default options, in clear text or with TLS.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	pb "tutorial"
)

type server struct{ pb.UnimplementedNumberServiceServer }

func (s *server) SumNumbers(stream pb.NumberService_SumNumbersServer) error {
	var sum int32
	for {
		req, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&pb.NumberResponse{Sum: sum})
		}
		if err != nil {
			return err
		}
		sum += req.GetNum()
	}
}

func main() {
	port := flag.Int("port", 50051, "port on 127.0.0.1")
	cert := flag.String("tls-cert", "", "the certificate for TLS")
	key := flag.String("tls-key", "", "its key")
	flag.Parse()
	var options []grpc.ServerOption
	if *cert != "" {
		tls, err := credentials.NewServerTLSFromFile(*cert, *key)
		if err != nil {
			log.Fatal(err)
		}
		options = append(options, grpc.Creds(tls))
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatalf("failed to listen: %v", err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	s := grpc.NewServer(options...)
	pb.RegisterNumberServiceServer(s, &server{})
	log.Fatal(s.Serve(listener))
}
