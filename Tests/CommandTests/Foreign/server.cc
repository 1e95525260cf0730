// gRPC C++ as a server, on a free port, which it prints.

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <iostream>

#include "tutorial.grpc.pb.h"

class NumberService final : public tutorial::NumberService::Service {
  grpc::Status SumNumbers(grpc::ServerContext*, grpc::ServerReader<tutorial::NumberRequest>* reader,
                          tutorial::NumberResponse* response) override {
    std::int64_t total = 0;
    for (tutorial::NumberRequest request; reader->Read(&request);) total += request.num();
    response->set_sum(static_cast<std::int32_t>(total));
    return grpc::Status::OK;
  }
};

int main() {
  NumberService service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  std::cout << "listening on 127.0.0.1:" << port << std::endl;
  server->Wait();
}
