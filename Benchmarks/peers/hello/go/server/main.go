package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"

	"google.golang.org/grpc"
	pb "hello"
)

type greeter struct{ pb.UnimplementedGreeterServer }

func (*greeter) SayHello(_ context.Context, request *pb.HelloRequest) (*pb.HelloReply, error) {
	return &pb.HelloReply{Message: fmt.Sprintf("Hello, %s!", request.GetName())}, nil
}

func (*greeter) SumNumbers(stream pb.Greeter_SumNumbersServer) error {
	var sum int32
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&pb.NumberResponse{Sum: sum})
		}
		if err != nil {
			return err
		}
		sum += request.GetNum()
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	server := grpc.NewServer()
	pb.RegisterGreeterServer(server, &greeter{})
	log.Fatal(server.Serve(listener))
}
