// gRPC C++ as a client. Usage: cpp-client TARGET < numbers. Prints the sum, or the status code and message.

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <iostream>

#include "tutorial.grpc.pb.h"

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  auto stub = tutorial::NumberService::NewStub(channel);
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  tutorial::NumberResponse response;
  auto writer = stub->SumNumbers(&context, &response);
  tutorial::NumberRequest request;
  for (std::int32_t number; std::cin >> number;) {
    request.set_num(number);
    if (!writer->Write(request)) break;
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  if (status.ok()) {
    std::cout << response.sum() << "\n";
  } else {
    std::cout << status.error_code() << " " << status.error_message() << "\n";
  }
}
