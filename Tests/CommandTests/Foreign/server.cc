// gRPC C++ as a server, on a free port, which it prints.
// Usage: cpp-server [--tls-cert FILE --tls-key FILE [--tls-client-ca FILE]]
// With --tls-cert it speaks TLS, with --tls-client-ca it wants certificates of clients.

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

#include "options.h"
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

static std::shared_ptr<grpc::ServerCredentials> Credentials(const Options& options) {
  if (options.count("tls-cert") == 0) return grpc::InsecureServerCredentials();
  const std::string roots = ReadFile(options, "tls-client-ca");
  grpc::SslServerCredentialsOptions tls(
      roots.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                    : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = roots;
  tls.pem_key_cert_pairs.push_back({ReadFile(options, "tls-key"), ReadFile(options, "tls-cert")});
  return grpc::SslServerCredentials(tls);
}

int main(int argc, char** argv) {
  NumberService service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", Credentials(ParseOptions(argc, argv, 1)), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  std::cout << "listening on 127.0.0.1:" << port << std::endl;
  server->Wait();
}
