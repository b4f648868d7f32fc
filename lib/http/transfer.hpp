#pragma once

#include <functional>
#include <memory>
#include <string>

#include <curl/curl.h>

#include "http/loop.hpp"

namespace evd::http {

struct CloseEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, CloseEasy>;

/// One POST under way: the handle, what its callbacks fill, and its limits. Lives at a fixed
/// address while curl knows it. Inside `http` only.
class Transfer {
 public:
  Transfer(Easy easy, Request request, std::function<void(Response)> done,
           const Loop::Setup& setup);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  [[nodiscard]] CURL* easy() const { return easy_.get(); }
  /// The first byte is overdue at this time of the monotonic clock.
  [[nodiscard]] bool first_byte_overdue(double now_s) const;
  /// What came of it.
  [[nodiscard]] Response finish(CURLcode code);
  [[nodiscard]] Response give_up(Fault fault, const std::string& reason);
  void reply(Response response) { done_(std::move(response)); }
  /// The handle, for the next transfer.
  [[nodiscard]] Easy release();

 private:
  static std::size_t read(char* out, std::size_t size, std::size_t count, void* self);
  static int seek(void* self, curl_off_t offset, int origin);
  static std::size_t write(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t header(char* data, std::size_t size, std::size_t count, void* self);
  void set_options(const Loop::Setup& setup);
  void take_header(std::string_view line);
  void measure();

  Easy easy_;
  Request request_;
  std::function<void(Response)> done_;
  Response response_;
  std::size_t read_offset_ = 0;
  std::size_t header_bytes_ = 0;
  double started_s_ = 0;
  bool answered_ = false;
  bool too_large_ = false;
  char error_[CURL_ERROR_SIZE] = {};
};

}  // namespace evd::http
