// gRPC C++ as a client. Usage: cpp-client TARGET [--cacert FILE [--cert FILE --key FILE]] < numbers
// With --cacert it speaks TLS, with --cert and --key it has a certificate. Prints the sum, or the status code and message.

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <iostream>
#include <memory>

#include "options.h"
#include "tutorial.grpc.pb.h"

int main(int argc, char** argv) {
  if (argc < 2) return 64;
  const Options options = ParseOptions(argc, argv, 2);
  const bool speaks_tls = options.count("cacert") > 0;
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (speaks_tls) {
    credentials = grpc::SslCredentials(
        {ReadFile(options, "cacert"), ReadFile(options, "key"), ReadFile(options, "cert")});
  }
  auto channel = grpc::CreateChannel(argv[1], credentials);
  auto stub = tutorial::NumberService::NewStub(channel);
  grpc::ClientContext context;
  // A call that waits would wait for ever for a server with the wrong certificate.
  context.set_wait_for_ready(!speaks_tls);
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
