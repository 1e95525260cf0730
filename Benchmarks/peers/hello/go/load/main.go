// hello-load [OPTIONS] METHOD: many calls, a fixed number of them at once, over one connection.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	pb "hello"
)

func hello(greeter pb.GreeterClient) error {
	reply, err := greeter.SayHello(context.Background(), &pb.HelloRequest{Name: "world"})
	if err == nil && reply.GetMessage() != "Hello, world!" {
		return fmt.Errorf("the reply was %q", reply.GetMessage())
	}
	return err
}

func sum(greeter pb.GreeterClient, last int64) error {
	stream, err := greeter.SumNumbers(context.Background())
	if err != nil {
		return err
	}
	for number := int64(1); number <= last; number++ {
		if err := stream.Send(&pb.NumberRequest{Num: int32(number)}); err == io.EOF {
			break // The status comes with the response.
		} else if err != nil {
			return err
		}
	}
	response, err := stream.CloseAndRecv()
	if err == nil && response.GetSum() != int32(last*(last+1)/2) {
		return fmt.Errorf("the sum was %d", response.GetSum())
	}
	return err
}

func main() {
	port := flag.Int("port", 0, "the server's port on 127.0.0.1")
	calls := flag.Int64("calls", 1, "calls in all")
	concurrency := flag.Int("concurrency", 1, "calls at once")
	numbers := flag.Int64("numbers", 10, "the numbers 1...K in each call of SumNumbers")
	flag.Parse()
	connection, err := grpc.Dial(fmt.Sprintf("127.0.0.1:%d", *port), grpc.WithInsecure(), grpc.WithBlock())
	if err != nil {
		log.Fatal(err)
	}
	greeter := pb.NewGreeterClient(connection)
	latencies := make([]float64, *calls)
	var next int64
	var group sync.WaitGroup
	start := time.Now()
	for worker := 0; worker < *concurrency; worker++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for call := atomic.AddInt64(&next, 1) - 1; call < *calls; call = atomic.AddInt64(&next, 1) - 1 {
				began := time.Now()
				var err error
				if flag.Arg(0) == "hello" {
					err = hello(greeter)
				} else {
					err = sum(greeter, *numbers)
				}
				if err != nil {
					log.Fatal(err)
				}
				latencies[call] = float64(time.Since(began).Nanoseconds()) / 1000
			}
		}()
	}
	group.Wait()
	seconds := time.Since(start).Seconds()
	sort.Float64s(latencies)
	fmt.Printf("calls_per_s %.0f p50_us %.1f p99_us %.1f elapsed_s %.6f\n", float64(*calls)/seconds,
		latencies[len(latencies)/2], latencies[len(latencies)*99/100], seconds)
}
