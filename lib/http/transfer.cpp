#include "http/transfer.hpp"

#include <algorithm>
#include <cstring>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::http {
namespace {

constexpr std::size_t kHeaderLimitBytes = 64 << 10;

template <class T>
void set(CURL* easy, CURLoption option, T value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code != CURLE_OK)
    throw InternalError(std::string("curl option refused: ") + curl_easy_strerror(code));
}

long milliseconds(double seconds) { return std::max(1L, static_cast<long>(seconds * 1000)); }

// A certificate that is not accepted is for a person to look at; a handshake that breaks is not.
bool is_certificate_fault(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR ||
         code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_PINNEDPUBKEYNOTMATCH ||
         code == CURLE_SSL_INVALIDCERTSTATUS;
}

}  // namespace

Transfer::Transfer(Easy easy, Request request, std::function<void(Response)> done,
                   const Loop::Setup& setup)
    : easy_(std::move(easy)),
      request_(std::move(request)),
      done_(std::move(done)),
      started_s_(monotonic_s()) {
  set_options(setup);
}

void Transfer::set_options(const Loop::Setup& setup) {
  CURL* easy = easy_.get();
  set(easy, CURLOPT_PRIVATE, this);
  set(easy, CURLOPT_ERRORBUFFER, error_);
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_URL, request_.url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  // The environment's proxy (https_proxy, no_proxy) sees no more of https than the host's name; of
  // plain http it would see the key.
  if (request_.url.rfind("https:", 0) != 0) set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!setup.ca_file.empty()) set(easy, CURLOPT_CAINFO, setup.ca_file.c_str());
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  if (request_.url.rfind("https:", 0) == 0) set(easy, CURLOPT_PIPEWAIT, 1L);
  set(easy, CURLOPT_USERAGENT, "evolvedirector/" EVD_VERSION);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request_.limits.connect_s));
  set(easy, CURLOPT_TIMEOUT_MS, milliseconds(request_.limits.total_s));
  if (request_.headers != nullptr) set(easy, CURLOPT_HTTPHEADER, request_.headers->list());
  // A read callback instead of CURLOPT_POSTFIELDS: only so can a silent second POST be refused
  // (see seek), and only so is it known whether any of the body left.
  set(easy, CURLOPT_POST, 1L);
  set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  set(easy, CURLOPT_READFUNCTION, &Transfer::read);
  set(easy, CURLOPT_READDATA, this);
  set(easy, CURLOPT_SEEKFUNCTION, &Transfer::seek);
  set(easy, CURLOPT_SEEKDATA, this);
  set(easy, CURLOPT_WRITEFUNCTION, &Transfer::write);
  set(easy, CURLOPT_WRITEDATA, this);
  set(easy, CURLOPT_HEADERFUNCTION, &Transfer::header);
  set(easy, CURLOPT_HEADERDATA, this);
  // Only a wish: a handle that has failed early keeps its buffer, and refuses.
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 64L << 10);
}

bool Transfer::first_byte_overdue(double now_s) const {
  return !answered_ && now_s - started_s_ > request_.limits.first_byte_s;
}

Response Transfer::finish(CURLcode code) {
  measure();
  if (code == CURLE_OK) return std::move(response_);
  if (too_large_)
    return give_up(
        Fault::too_large,
        "answer larger than " + human_bytes(static_cast<double>(request_.limits.answer_bytes)));
  const std::string reason = error_[0] != '\0' ? error_ : curl_easy_strerror(code);
  if (is_certificate_fault(code)) return give_up(Fault::tls, reason);
  return give_up(response_.sent ? Fault::no_answer : Fault::not_sent, reason);
}

Response Transfer::give_up(Fault fault, const std::string& reason) {
  measure();
  response_.fault = fault;
  response_.reason = reason;
  return std::move(response_);
}

Easy Transfer::release() {
  curl_easy_reset(easy_.get());
  return std::move(easy_);
}

void Transfer::measure() {
  long status = 0;
  curl_off_t total_us = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy_.get(), CURLINFO_TOTAL_TIME_T, &total_us);
  response_.status = static_cast<int>(status);
  response_.total_s = static_cast<double>(total_us) / 1e6;
  response_.bytes_sent = read_offset_;
  response_.bytes_received = header_bytes_ + response_.body.size();
}

std::size_t Transfer::read(char* out, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string& body = transfer.request_.body;
  const std::size_t bytes = std::min(size * count, body.size() - transfer.read_offset_);
  std::memcpy(out, body.data() + transfer.read_offset_, bytes);
  transfer.read_offset_ += bytes;
  if (bytes > 0) transfer.response_.sent = true;
  return bytes;
}

// curl rewinds a body to send it once more over a fresh connection when a kept one died without an
// answer. The server may have acted on the first: whether to ask again is decided, and written
// down, elsewhere.
int Transfer::seek(void* self, curl_off_t offset, int origin) {
  const auto& transfer = *static_cast<Transfer*>(self);
  const bool nothing_left_yet = transfer.read_offset_ == 0 && offset == 0 && origin == SEEK_SET;
  return nothing_left_yet ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

std::size_t Transfer::write(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  transfer.answered_ = true;
  if (transfer.response_.body.size() + bytes > transfer.request_.limits.answer_bytes) {
    transfer.too_large_ = true;
    return CURL_WRITEFUNC_ERROR;
  }
  transfer.response_.body.append(data, bytes);
  return bytes;
}

std::size_t Transfer::header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  transfer.answered_ = true;
  transfer.header_bytes_ += bytes;
  if (transfer.header_bytes_ > kHeaderLimitBytes) transfer.too_large_ = true;
  if (!transfer.too_large_) transfer.take_header(std::string_view(data, bytes));
  return transfer.too_large_ ? 0 : bytes;
}

void Transfer::take_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string name = lower_ascii(line.substr(0, colon));
  const std::string value(trim(line.substr(colon + 1)));
  if (name == "content-type") response_.content_type = value;
  if (name == "retry-after") response_.retry_after = value;
  if (name == "retry-after-ms") response_.retry_after_ms = value;
  if (name == "x-should-retry") response_.should_retry = value;
  if (name == "x-request-id") response_.request_id = value.substr(0, 200);
  if (name == "content-length") {
    const std::uint64_t announced = std::strtoull(value.c_str(), nullptr, 10);
    if (announced > request_.limits.answer_bytes) too_large_ = true;
    // Not trusted beyond a modest size: a lie would cost memory for nothing.
    response_.body.reserve(std::min<std::uint64_t>(announced, 4ULL << 20));
  }
}

}  // namespace evd::http
