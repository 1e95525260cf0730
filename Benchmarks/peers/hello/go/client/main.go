package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"google.golang.org/grpc"
	pb "hello"
)

func main() {
	connection, err := grpc.Dial("127.0.0.1:"+os.Args[1], grpc.WithInsecure())
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	greeter := pb.NewGreeterClient(connection)

	reply, err := greeter.SayHello(context.Background(), &pb.HelloRequest{Name: "world"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.GetMessage())

	stream, err := greeter.SumNumbers(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for number := int32(1); number <= 10; number++ {
		if err := stream.Send(&pb.NumberRequest{Num: number}); err != nil {
			break // The status comes with the response.
		}
	}
	response, err := stream.CloseAndRecv()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("sum:", response.GetSum())
}
