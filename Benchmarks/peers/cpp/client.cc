// Streams numbers to the number service and prints their sum.
// Callback API by default; --sync uses the synchronous one, with a thread per RPC in flight.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tutorial.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;
using tutorial::NumberRequest;
using tutorial::NumberResponse;
using tutorial::NumberService;

// Gives the next number to send, or nothing at the end.
using Source = std::function<std::optional<int32_t>()>;

Source CountTo(int64_t last) {
  return [next = int64_t{1}, last]() mutable -> std::optional<int32_t> {
    if (next > last) return std::nullopt;
    return static_cast<int32_t>(static_cast<uint32_t>(next++));
  };
}

double Seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

[[noreturn]] void Fail(const grpc::Status& status) {
  std::cerr << "RPC failed: " << status.error_code() << " " << status.error_message() << "\n";
  std::exit(1);
}

// One RPC in the callback API. Calls `done` once, from a gRPC thread, and then deletes itself.
class SumCall final : public grpc::ClientWriteReactor<NumberRequest> {
 public:
  using Done = std::function<void(const grpc::Status&, int32_t sum)>;

  static void Start(NumberService::Stub* stub, Source source, Done done) {
    auto* call = new SumCall(std::move(source), std::move(done));
    stub->async()->SumNumbers(&call->context_, &call->response_, call);
    call->WriteNext();
    call->StartCall();
  }

  void OnWriteDone(bool ok) override {
    if (ok) WriteNext();
  }

  void OnDone(const grpc::Status& status) override {
    Done done = std::move(done_);
    const int32_t sum = response_.sum();
    delete this;
    done(status, sum);
  }

 private:
  SumCall(Source source, Done done) : source_(std::move(source)), done_(std::move(done)) {}

  void WriteNext() {
    if (const auto number = source_()) {
      request_.set_num(*number);
      StartWrite(&request_);
    } else {
      StartWritesDone();
    }
  }

  grpc::ClientContext context_;
  NumberRequest request_;
  NumberResponse response_;
  Source source_;
  Done done_;
};

int32_t SumWithCallbacks(NumberService::Stub* stub, Source source) {
  std::mutex mutex;
  std::condition_variable finished;
  std::optional<std::pair<grpc::Status, int32_t>> result;
  SumCall::Start(stub, std::move(source), [&](const grpc::Status& status, int32_t sum) {
    std::lock_guard<std::mutex> lock(mutex);
    result.emplace(status, sum);
    finished.notify_one();
  });
  std::unique_lock<std::mutex> lock(mutex);
  finished.wait(lock, [&] { return result.has_value(); });
  if (!result->first.ok()) Fail(result->first);
  return result->second;
}

int32_t SumBlocking(NumberService::Stub* stub, Source source) {
  grpc::ClientContext context;
  NumberResponse response;
  NumberRequest request;
  auto writer = stub->SumNumbers(&context, &response);
  while (const auto number = source()) {
    request.set_num(*number);
    if (!writer->Write(request)) break;
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  if (!status.ok()) Fail(status);
  return response.sum();
}

void Check(int32_t sum, int64_t numbers) {
  const auto expected = static_cast<int32_t>(static_cast<uint32_t>(numbers * (numbers + 1) / 2));
  if (sum == expected) return;
  std::cerr << "sum " << sum << ", not " << expected << "\n";
  std::exit(1);
}

// Makes `rpcs` RPCs with `concurrency` in flight; each one's end starts the next.
std::vector<Clock::duration> ManyWithCallbacks(NumberService::Stub* stub, int64_t rpcs,
                                               int concurrency, int64_t numbers) {
  std::vector<Clock::duration> latencies(rpcs);
  std::atomic<int64_t> started{0};
  std::mutex mutex;
  std::condition_variable finished;
  int running = concurrency;

  std::function<void()> start_one = [&] {
    const int64_t index = started.fetch_add(1);
    if (index >= rpcs) {
      std::lock_guard<std::mutex> lock(mutex);
      if (--running == 0) finished.notify_one();
      return;
    }
    const auto begin = Clock::now();
    SumCall::Start(stub, CountTo(numbers),
                   [&, index, begin, numbers](const grpc::Status& status, int32_t sum) {
                     latencies[index] = Clock::now() - begin;
                     if (!status.ok()) Fail(status);
                     Check(sum, numbers);
                     start_one();
                   });
  };
  for (int i = 0; i < concurrency; ++i) start_one();

  std::unique_lock<std::mutex> lock(mutex);
  finished.wait(lock, [&] { return running == 0; });
  return latencies;
}

std::vector<Clock::duration> ManyWithThreads(NumberService::Stub* stub, int64_t rpcs,
                                             int concurrency, int64_t numbers) {
  std::vector<Clock::duration> latencies(rpcs);
  std::atomic<int64_t> started{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < concurrency; ++i) {
    threads.emplace_back([&] {
      for (int64_t index; (index = started.fetch_add(1)) < rpcs;) {
        const auto begin = Clock::now();
        const int32_t sum = SumBlocking(stub, CountTo(numbers));
        latencies[index] = Clock::now() - begin;
        Check(sum, numbers);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return latencies;
}

}  // namespace

int main(int argc, char** argv) {
  int port = 50051;
  int64_t count = -1, rpcs = -1, numbers = 10;
  int concurrency = 64;
  bool sync = false, usage = false;
  std::string cacert;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--sync") {
      sync = true;
    } else if (i + 1 == argc) {
      usage = true;
    } else if (arg == "--port") {
      port = std::atoi(argv[++i]);
    } else if (arg == "--cacert") {
      cacert = argv[++i];
    } else if (arg == "--count") {
      count = std::atoll(argv[++i]);
    } else if (arg == "--rpcs") {
      rpcs = std::atoll(argv[++i]);
    } else if (arg == "--concurrency") {
      concurrency = std::atoi(argv[++i]);
    } else if (arg == "--numbers") {
      numbers = std::atoll(argv[++i]);
    } else {
      usage = true;
    }
  }
  if (usage || (count >= 0) == (rpcs > 0)) {
    std::cerr << "usage: number-client [--port P] [--cacert FILE] [--sync]\n"
                 "         (--count N | --rpcs R [--concurrency C] [--numbers K])\n";
    return 2;
  }

  auto credentials = grpc::InsecureChannelCredentials();
  if (!cacert.empty()) {
    std::ostringstream roots;
    roots << std::ifstream(cacert).rdbuf();
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = roots.str();
    credentials = grpc::SslCredentials(options);
  }
  const auto channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(port), credentials);
  const auto stub = NumberService::NewStub(channel);
  const auto sum_of = sync ? SumBlocking : SumWithCallbacks;

  const auto start = Clock::now();
  if (count >= 0) {
    const int32_t sum = sum_of(stub.get(), CountTo(count));
    const double elapsed = Seconds(Clock::now() - start);
    std::printf("sum %d elapsed_s %.6f numbers_per_s %.0f\n", sum, elapsed, count / elapsed);
  } else {
    const auto many = sync ? ManyWithThreads : ManyWithCallbacks;
    auto latencies = many(stub.get(), rpcs, concurrency, numbers);
    const double elapsed = Seconds(Clock::now() - start);
    std::sort(latencies.begin(), latencies.end());
    const auto percentile = [&](double p) {
      const auto index = std::min(latencies.size() - 1, static_cast<size_t>(p * latencies.size()));
      return Seconds(latencies[index]) * 1e6;
    };
    std::printf("calls %zu elapsed_s %.6f calls_per_s %.0f p50_us %.0f p99_us %.0f\n",
                latencies.size(), elapsed, rpcs / elapsed, percentile(0.50), percentile(0.99));
  }
}
