// Our client's way of an image, without journal and shards: network, HTTP, JSON, base64. For
// tools/bench/harvest.
//   images_client URL COUNT IN_FLIGHT [check]     "check": the picture is examined too
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#include "core/clock.hpp"
#include "core/memory.hpp"
#include "http/loop.hpp"
#include "teacher/openai_images.hpp"

namespace {

using namespace evd;

class Client {
 public:
  Client(std::string url, int count, bool check)
      : url_(std::move(url)), count_(count), check_(check) {
    headers_ = std::make_shared<http::Headers>();
    headers_->add("Content-Type", "application/json");
    headers_->add("Accept", "application/json");
    headers_->add("Expect", "");
  }

  void run(int in_flight) {
    while (sent_ < std::min(in_flight, count_)) send();
    while (done_ < count_) loop_.step(5);
  }

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  void send() {
    const std::string body =
        teacher::images_request_body({.model = "bench",
                                      .prompt = "picture " + std::to_string(sent_),
                                      .width = 256,
                                      .height = 256});
    ++sent_;
    loop_.post({.url = url_, .body = body, .headers = headers_, .limits = {}},
               [this](const http::Response& response) { receive(response); });
  }

  void receive(const http::Response& response) {
    if (response.fault != http::Fault::none || response.status != 200)
      throw std::runtime_error("the server did not answer: " + response.reason);
    if (check_) {
      bytes_ += teacher::examine_images(response, 0).content.payload.size();
    } else {
      const auto answer = teacher::locate_images(response.body);
      bytes_ += teacher::picture_bytes(answer.items.at(0)).value().size();
    }
    ++done_;
    if (sent_ < count_) send();
  }

  std::string url_;
  int count_;
  bool check_;
  http::Loop loop_;
  std::shared_ptr<http::Headers> headers_;
  int sent_ = 0;
  int done_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) {
    std::fprintf(stderr, "usage: images_client URL COUNT IN_FLIGHT [check]\n");
    return 64;
  }
  keep_freed_memory();
  const int count = std::atoi(argv[2]);
  Client client(argv[1], count, argc > 4);
  const double begun_s = monotonic_s();
  client.run(std::atoi(argv[3]));
  const double wall_s = monotonic_s() - begun_s;
  if (client.bytes() == 0) throw std::runtime_error("no picture came");
  std::printf("%.1f\n", count / wall_s);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "images_client: %s\n", error.what());
  return 70;
}
