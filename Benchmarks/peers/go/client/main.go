// number-client: one long stream (--count), or many short calls (--rpcs), over one connection.
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
	"google.golang.org/grpc/credentials"
	pb "tutorial"
)

var client pb.NumberServiceClient

// sum streams what next yields until it says false, and returns the reply.
func sum(next func() (int32, bool)) (int32, error) {
	stream, err := client.SumNumbers(context.Background())
	if err != nil {
		return 0, err
	}
	for n, more := next(); more; n, more = next() {
		if err := stream.Send(&pb.NumberRequest{Num: n}); err == io.EOF {
			break // the status comes with the reply
		} else if err != nil {
			return 0, err
		}
	}
	reply, err := stream.CloseAndRecv()
	return reply.GetSum(), err
}

// upTo yields 1...k.
func upTo(k int64) func() (int32, bool) {
	i := int64(0)
	return func() (int32, bool) { i++; return int32(i), i <= k }
}

func main() {
	port := flag.Int("port", 50051, "server's port on 127.0.0.1")
	count := flag.Int64("count", 0, "one stream of the numbers 1...N")
	rpcs := flag.Int64("rpcs", 0, "this many calls in all")
	concurrency := flag.Int("concurrency", 1, "calls at once")
	numbers := flag.Int64("numbers", 10, "numbers 1...K in each call")
	cacert := flag.String("cacert", "", "connect by TLS, and believe the CAs of this file")
	flag.Parse()

	security := grpc.WithInsecure()
	if *cacert != "" {
		tls, err := credentials.NewClientTLSFromFile(*cacert, "")
		if err != nil {
			log.Fatal(err)
		}
		security = grpc.WithTransportCredentials(tls)
	}
	conn, err := grpc.Dial(fmt.Sprintf("127.0.0.1:%d", *port), security, grpc.WithBlock())
	if err != nil {
		log.Fatalf("did not connect: %v", err)
	}
	defer conn.Close()
	client = pb.NewNumberServiceClient(conn)
	start := time.Now()
	switch {
	case *rpcs > 0:
		latency := make([]float64, *rpcs)
		var next int64
		var group sync.WaitGroup
		for g := 0; g < *concurrency; g++ {
			group.Add(1)
			go func() {
				defer group.Done()
				for i := atomic.AddInt64(&next, 1) - 1; i < *rpcs; i = atomic.AddInt64(&next, 1) - 1 {
					began := time.Now()
					if reply, err := sum(upTo(*numbers)); err != nil || int64(reply) != *numbers*(*numbers+1)/2 {
						log.Fatalf("reply %d, error %v", reply, err)
					}
					latency[i] = float64(time.Since(began).Nanoseconds()) / 1000
				}
			}()
		}
		group.Wait()
		elapsed := time.Since(start).Seconds()
		sort.Float64s(latency)
		fmt.Printf("calls_per_s %.0f p50_us %.1f p99_us %.1f elapsed_s %.3f\n", float64(*rpcs)/elapsed,
			latency[len(latency)/2], latency[len(latency)*99/100], elapsed)
	default:
		reply, err := sum(upTo(*count))
		if err != nil {
			log.Fatal(err)
		}
		elapsed := time.Since(start).Seconds()
		fmt.Printf("sum %d elapsed_s %.3f numbers_per_s %.0f\n", reply, elapsed, float64(*count)/elapsed)
	}
}
