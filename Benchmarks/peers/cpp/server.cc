// Sums the numbers a client streams. Callback API by default; --sync uses the synchronous one.
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "tutorial.grpc.pb.h"

namespace {

using tutorial::NumberRequest;
using tutorial::NumberResponse;
using tutorial::NumberService;

// The response holds 32 bits, so the sum wraps at 32 bits; unsigned, to make that well defined.
class CallbackNumberService final : public NumberService::CallbackService {
 public:
  grpc::ServerReadReactor<NumberRequest>* SumNumbers(grpc::CallbackServerContext*,
                                                     NumberResponse* response) override {
    class Summer final : public grpc::ServerReadReactor<NumberRequest> {
     public:
      explicit Summer(NumberResponse* response) : response_(response) { StartRead(&request_); }

      void OnReadDone(bool ok) override {
        if (ok) {
          sum_ += static_cast<uint32_t>(request_.num());
          StartRead(&request_);
        } else {
          response_->set_sum(static_cast<int32_t>(sum_));
          Finish(grpc::Status::OK);
        }
      }

      void OnDone() override { delete this; }

     private:
      NumberResponse* const response_;
      NumberRequest request_;
      uint32_t sum_ = 0;
    };
    return new Summer(response);
  }
};

class SyncNumberService final : public NumberService::Service {
 public:
  grpc::Status SumNumbers(grpc::ServerContext*, grpc::ServerReader<NumberRequest>* reader,
                          NumberResponse* response) override {
    uint32_t sum = 0;
    NumberRequest request;
    while (reader->Read(&request)) sum += static_cast<uint32_t>(request.num());
    response->set_sum(static_cast<int32_t>(sum));
    return grpc::Status::OK;
  }
};

std::string Content(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

}  // namespace

int main(int argc, char** argv) {
  int port = 50051;
  bool sync = false;
  std::string cert, key;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--port" && i + 1 < argc) {
      port = std::atoi(argv[++i]);
    } else if (arg == "--tls-cert" && i + 1 < argc) {
      cert = argv[++i];
    } else if (arg == "--tls-key" && i + 1 < argc) {
      key = argv[++i];
    } else if (arg == "--sync") {
      sync = true;
    } else {
      std::cerr << "usage: number-server [--port P] [--tls-cert FILE --tls-key FILE] [--sync]\n";
      return 2;
    }
  }

  std::unique_ptr<grpc::Service> service;
  if (sync) {
    service = std::make_unique<SyncNumberService>();
  } else {
    service = std::make_unique<CallbackNumberService>();
  }

  const std::string address = "127.0.0.1:" + std::to_string(port);
  grpc::ServerBuilder builder;
  int bound = 0;
  auto credentials = grpc::InsecureServerCredentials();
  if (!cert.empty()) {
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back({Content(key), Content(cert)});
    credentials = grpc::SslServerCredentials(options);
  }
  builder.AddListeningPort(address, credentials, &bound);
  builder.RegisterService(service.get());
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || bound == 0) {
    std::cerr << "cannot listen on " << address << "\n";
    return 1;
  }
  std::cout << "listening on 127.0.0.1:" << bound << std::endl;
  server->Wait();
}
