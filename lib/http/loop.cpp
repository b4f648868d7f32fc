#include "http/loop.hpp"

#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <curl/curl.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "http/transfer.hpp"

namespace evd::http {
namespace {

// First-byte limits are seconds long: looking at them more often only costs time.
constexpr double kOverdueEvery_s = 0.02;

struct CloseMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

void check(CURLMcode code, const char* what) {
  if (code != CURLM_OK) throw InternalError(std::string(what) + ": " + curl_multi_strerror(code));
}

}  // namespace

struct Loop::State {
  explicit State(Setup given) : setup(std::move(given)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    multi.reset(curl_multi_init());
    if (multi == nullptr) throw InternalError("curl_multi_init failed (out of memory)");
    check(curl_multi_setopt(multi.get(), CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX), "multiplex");
    check(curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, 4096L), "kept connections");
  }
  ~State() {
    for (auto& [easy, transfer] : transfers) curl_multi_remove_handle(multi.get(), easy);
  }

  Easy take_handle() {
    if (!idle.empty()) {
      Easy easy = std::move(idle.back());
      idle.pop_back();
      return easy;
    }
    Easy easy(curl_easy_init());
    if (easy == nullptr) throw InternalError("curl_easy_init failed (out of memory)");
    return easy;
  }

  // Takes the transfer out; its reply is called later, when no curl call is on the stack.
  std::unique_ptr<Transfer> take_out(CURL* easy) {
    check(curl_multi_remove_handle(multi.get(), easy), "end of a transfer");
    auto node = transfers.extract(easy);
    return std::move(node.mapped());
  }

  void settle(std::unique_ptr<Transfer> transfer, Response response) {
    idle.push_back(transfer->release());
    finished.emplace_back(std::move(transfer), std::move(response));
  }

  void collect() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      auto transfer = take_out(message->easy_handle);
      Response response = transfer->finish(code);
      settle(std::move(transfer), std::move(response));
    }
  }

  void give_up_overdue() {
    const double now_s = monotonic_s();
    if (now_s < next_overdue_s) return;
    next_overdue_s = now_s + kOverdueEvery_s;
    std::vector<CURL*> overdue;
    for (const auto& [easy, transfer] : transfers)
      if (transfer->first_byte_overdue(now_s)) overdue.push_back(easy);
    for (CURL* easy : overdue) {
      auto transfer = take_out(easy);
      Response response = transfer->give_up(Fault::no_answer, "no answer within the time limit");
      if (!response.sent) response.fault = Fault::not_sent;
      settle(std::move(transfer), std::move(response));
    }
  }

  void reply_finished() {
    while (!finished.empty()) {
      auto [transfer, response] = std::move(finished.front());
      finished.pop_front();
      transfer->reply(std::move(response));
    }
  }

  Setup setup;
  std::unique_ptr<CURLM, CloseMulti> multi;
  std::vector<Easy> idle;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> transfers;
  std::deque<std::pair<std::unique_ptr<Transfer>, Response>> finished;
  double next_overdue_s = 0;
};

Loop::Loop(const Setup& setup) : state_(std::make_unique<State>(setup)) {}
Loop::~Loop() = default;

void Loop::post(Request request, std::function<void(Response)> done) {
  auto transfer = std::make_unique<Transfer>(state_->take_handle(), std::move(request),
                                             std::move(done), state_->setup);
  CURL* easy = transfer->easy();
  check(curl_multi_add_handle(state_->multi.get(), easy), "start of a transfer");
  state_->transfers.emplace(easy, std::move(transfer));
}

void Loop::step(int wait_ms) {
  int running = 0;
  check(curl_multi_perform(state_->multi.get(), &running), "transfers");
  state_->collect();
  if (state_->finished.empty()) {
    check(curl_multi_poll(state_->multi.get(), nullptr, 0, wait_ms, nullptr), "wait");
    check(curl_multi_perform(state_->multi.get(), &running), "transfers");
    state_->collect();
  }
  state_->give_up_overdue();
  state_->reply_finished();
}

void Loop::wake() { curl_multi_wakeup(state_->multi.get()); }

void Loop::cancel_all() {
  while (!state_->transfers.empty()) {
    auto transfer = state_->take_out(state_->transfers.begin()->first);
    Response response = transfer->give_up(Fault::cancelled, "cancelled");
    state_->settle(std::move(transfer), std::move(response));
  }
}

std::size_t Loop::active() const { return state_->transfers.size() + state_->finished.size(); }

}  // namespace evd::http
