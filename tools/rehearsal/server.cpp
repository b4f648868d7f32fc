#include "rehearsal/server.hpp"

#include <chrono>
#include <mutex>
#include <thread>
#include <unordered_map>

#include <httplib.h>
#include <sys/socket.h>

#include "core/error.hpp"

namespace evd::rehearsal {
namespace {

// As many threads as a client may keep connections: a connection holds its thread. With fewer, the
// ones left over starve; with cpp-httplib's own 8 and Nagle's delay, 342 requests a second.
constexpr std::size_t kThreads = 256;
// The library listens with a backlog of 5: of many clients that begin at once some are dropped, and
// TCP tries again only after a second. Listening once more with another backlog changes it.
constexpr int kBacklog = 512;
constexpr time_t kKeepAliveSeconds = 3600;
constexpr std::size_t kMaxRequestBytes = std::size_t{64} << 20U;
constexpr std::size_t kMaxRequestsPerConnection = 1'000'000'000;

// Equal in a time that does not depend on where they differ.
bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

void send(const Answer& answer, httplib::Response& response) {
  response.status = answer.status;
  for (const auto& [name, value] : answer.headers) response.set_header(name, value);
  response.set_content(answer.body, answer.content_type.c_str());
}

// Promises the whole length and ends the connection half way.
void send_half(const Answer& answer, httplib::Response& response) {
  response.status = answer.status;
  const auto body = std::make_shared<std::string>(answer.body);
  response.set_content_provider(
      body->size(), answer.content_type.c_str(),
      [body](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        if (offset == 0) sink.write(body->data(), std::min(length, body->size() / 2));
        return false;
      });
}

}  // namespace

struct Server::State {
  State(World world_in, Ledger& ledger_in, std::string token_in)
      : world(std::move(world_in)), ledger(ledger_in), token(std::move(token_in)) {}

  void set_up() {
    http.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    http.set_tcp_nodelay(true);
    // Not the library's own options: with SO_REUSEPORT two servers would share a port.
    http.set_socket_options([this](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      listening = socket;
    });
    http.set_keep_alive_max_count(kMaxRequestsPerConnection);
    // An idle connection that the server closes may swallow the next request on it.
    http.set_keep_alive_timeout(kKeepAliveSeconds);
    http.set_payload_max_length(kMaxRequestBytes);
    http.set_pre_routing_handler([this](const auto& request, auto& response) {
      if (request.path == "/health" || allowed(request))
        return httplib::Server::HandlerResponse::Unhandled;
      send(error_answer(401, "Incorrect API key provided.", "invalid_request_error",
                        "invalid_api_key"),
           response);
      return httplib::Server::HandlerResponse::Handled;
    });
    http.set_error_handler([](const auto&, auto& response) {
      if (response.body.empty())
        send(error_answer(response.status, "There is nothing here.", "invalid_request_error",
                          "not_found"),
             response);
    });
    http.set_exception_handler([](const auto&, auto& response, const std::exception_ptr&) {
      send(error_answer(500, "The rehearsal failed to answer.", "server_error", "internal_error"),
           response);
    });
    http.Get("/health", [](const auto&, auto& response) {
      response.set_content(R"({"status":"ok"})", "application/json");
    });
    http.Get("/ledger", [this](const auto& request, auto& response) {
      response.set_content(ledger.sums(request.has_param("requests")), "application/json");
    });
    http.Get("(/v1)?/models", [](const auto&, auto& response) { send(answer_models(), response); });
    http.Post("(/v1)?/images/generations", [this](const auto& request, auto& response) {
      serve(request, response, answer_images);
    });
    http.Post("(/v1)?/chat/completions", [this](const auto& request, auto& response) {
      serve(request, response, answer_chat);
    });
  }

  [[nodiscard]] bool allowed(const httplib::Request& request) const {
    if (token.empty()) return true;
    return same_secret(request.get_header_value("Authorization"), "Bearer " + token);
  }

  std::uint64_t next_attempt(const Sha256& key) {
    const std::lock_guard lock(mutex);
    return attempts[key.low64()]++;
  }

  template <class Api>
  void serve(const httplib::Request& request, httplib::Response& response, Api api) {
    const Sha256 key = sha256(request.body);
    const std::uint64_t attempt = next_attempt(key);
    const Dice dice(world.seed, key, attempt);
    response.set_header("x-request-id",
                        "req_" + key.hex().substr(0, 24) + "_" + std::to_string(attempt));
    wait(dice.delay_ms(world.troubles.latency_ms));
    const Trouble trouble = dice.trouble(world.troubles);
    if (trouble != Trouble::none && trouble != Trouble::cut)
      return send(trouble_answer(trouble), response);
    const Answer answer = api(world, request.body, dice);
    if (answer.answers > 0) ledger.charge(answer.service, key, answer.microusd, answer.answers);
    if (trouble == Trouble::cut && answer.status == 200) return send_half(answer, response);
    send(answer, response);
  }

  static void wait(double ms) {
    if (ms > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(ms));
  }

  World world;
  Ledger& ledger;
  std::string token;
  httplib::Server http;
  socket_t listening = INVALID_SOCKET;
  std::mutex mutex;
  std::unordered_map<std::uint64_t, std::uint64_t> attempts;  // by request
};

Server::Server(World world, Ledger& ledger, std::string token)
    : state_(std::make_unique<State>(std::move(world), ledger, std::move(token))) {
  state_->set_up();
}

Server::~Server() = default;

int Server::bind(const std::string& address, int port) {
  const int bound = port == 0 ? state_->http.bind_to_any_port(address)
                    : state_->http.bind_to_port(address, port) ? port
                                                               : -1;
  if (bound < 0)
    throw IoError("cannot listen on " + address + " port " + std::to_string(port) +
                  " (in use, or not an address of this machine)");
  ::listen(state_->listening, kBacklog);
  return bound;
}

void Server::run() { state_->http.listen_after_bind(); }

void Server::stop() { state_->http.stop(); }

}  // namespace evd::rehearsal
