#include "teacher/exchange.hpp"

#include <gtest/gtest.h>

#include "core/base64.hpp"
#include "core/random.hpp"
#include "image/image.hpp"

namespace evd::teacher::test {

void LocalPermits::ask(int /*service*/, std::int64_t cost, std::function<void(bool)> granted) {
  asks_.push_back({cost, std::move(granted)});
}

void LocalPermits::done(int /*service*/, std::int64_t reserved, std::int64_t paid,
                        bool was_throttled) {
  --in_flight;
  free_microusd += reserved - paid;
  paid_microusd += paid;
  throttled += was_throttled;
}

void LocalPermits::serve() {
  while (!asks_.empty()) {
    const Ask ask = std::move(asks_.front());
    asks_.pop_front();
    const bool granted = free_microusd >= ask.cost;
    if (granted) {
      free_microusd -= ask.cost;
      ++in_flight;
    }
    ask.granted(granted);
  }
}

Exchange::Exchange(const std::string& base_url) {
  service.name = "aurora";
  service.base_url = base_url;
  service.model = "aurora-1";
  service.price_usd = 0.04;
  service.max_in_flight = 8;
  service.connect_timeout_s = 5;
  service.first_byte_timeout_s = 5;
  service.total_timeout_s = 10;
  setup.stage = "harvest";
  setup.service_patience_s = 2;
}

RequestKey Exchange::key(const std::string& name) { return RequestKey(sha256(name).bytes()); }

std::string Exchange::name_in(const std::string& body) { return body; }

std::map<std::string, Reply> Exchange::life(const std::vector<std::string>& names,
                                            const std::function<void(Caller&)>& each_step,
                                            Recall recall) {
  setup.services = {service};
  setup.journal_directory = calls().string();
  setup.job = "life-" + std::to_string(++lives_);
  std::map<std::string, Reply> replies;
  const Log log("test", 0);
  Caller caller(setup, permits, log);
  for (const auto& name : names)
    caller.submit(0, {.key = key(name), .body = [name] { return name; }, .recall = recall},
                  [&replies, name](Reply reply) { replies[name] = std::move(reply); });
  for (const double until_s = monotonic_s() + 60; caller.pending() > 0;) {
    permits.serve();
    caller.step(5);
    if (each_step) each_step(caller);
    if (monotonic_s() > until_s) {
      ADD_FAILURE() << caller.pending() << " calls never replied";
      break;
    }
  }
  down = caller.services_down();
  journal_failure = caller.journal_failure();
  return replies;
}

std::vector<std::byte> large_picture() {
  image::Rgb rgb{.width = 1024, .height = 1024};
  Random random(1, Purpose::test, 0, 0);
  for (int i = 0; i < 1024 * 1024 * 3; ++i)
    rgb.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
  return image::encode_png(rgb);
}

std::vector<std::byte> picture() {
  image::Rgb rgb{.width = 32, .height = 32};
  rgb.pixels.resize(32 * 32 * 3);
  for (std::size_t i = 0; i < rgb.pixels.size(); ++i)
    rgb.pixels[i] = static_cast<std::uint8_t>(i % 251);
  return image::encode_png(rgb);
}

evd::test::Scripted picture_reply() {
  static const std::string kBody = R"({"data":[{"b64_json":")" + base64(picture()) + R"("}]})";
  return evd::test::reply(200, kBody);
}

}  // namespace evd::teacher::test
