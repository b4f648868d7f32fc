#include "run/permit_desk.hpp"

#include "core/clock.hpp"
#include "core/error.hpp"

namespace evd::run {

PermitDesk::PermitDesk(const Handout::Setup& setup)
    : spent_elsewhere_(setup.spent_elsewhere), line_of_(setup.budget_of) {
  for (const std::int64_t free : setup.budget_microusd) lines_.push_back({.free_microusd = free});
  std::map<std::string, int> known;
  for (const auto& service : setup.services) {
    const auto [found, is_new] = known.emplace(service.name, static_cast<int>(accounts_.size()));
    if (is_new)
      accounts_.push_back({teacher::Pace(service.max_in_flight, service.requests_per_minute), {}});
    account_of_.push_back(found->second);
  }
  if (line_of_.size() != setup.services.size())
    throw InternalError("hand-out: each service needs a budget line");
}

PermitDesk::Line& PermitDesk::line(int service) {
  return lines_.at(static_cast<std::size_t>(line_of_.at(static_cast<std::size_t>(service))));
}

void PermitDesk::ask(const Ask& ask) {
  const auto account = account_of_.at(static_cast<std::size_t>(ask.service));
  accounts_.at(static_cast<std::size_t>(account)).asks.push_back(ask);
}

void PermitDesk::done(int service, std::int64_t reserved_microusd, std::int64_t paid_microusd,
                      bool throttled) {
  Line& line = this->line(service);
  line.reserved_microusd -= reserved_microusd;
  line.free_microusd -= paid_microusd;
  paid_microusd_ += paid_microusd;
  const auto account = account_of_.at(static_cast<std::size_t>(service));
  using Ended = teacher::Pace::Ended;
  accounts_.at(static_cast<std::size_t>(account))
      .pace.end(monotonic_s(), throttled ? Ended::throttled : Ended::well);
}

PermitDesk::Money PermitDesk::money_for(const Ask& ask) const {
  const auto index = line_of_.at(static_cast<std::size_t>(ask.service));
  const Line& line = lines_.at(static_cast<std::size_t>(index));
  const std::int64_t cost = ask.max_cost_microusd;
  const std::int64_t free = line.free_microusd - line.elsewhere_microusd;
  if (cost == 0 || free - line.reserved_microusd >= cost) return Money::enough;
  // What is under way may turn out cheaper than reserved.
  return free >= cost ? Money::not_yet : Money::spent;
}

void PermitDesk::note_elsewhere() {
  if (!spent_elsewhere_) return;
  for (std::size_t i = 0; i < lines_.size(); ++i)
    lines_[i].elsewhere_microusd = spent_elsewhere_(static_cast<int>(i));
}

void PermitDesk::serve(double now_s, const std::function<void(const Ask&, bool granted)>& answer) {
  note_elsewhere();
  for (auto& account : accounts_) {
    // An ask that waits for money does not hold up those of another line.
    for (auto ask = account.asks.begin(); ask != account.asks.end();) {
      const Money money = money_for(*ask);
      if (money == Money::not_yet) {
        ++ask;
        continue;
      }
      if (money == Money::enough && !account.pace.ready(now_s)) break;
      if (money == Money::enough) {
        account.pace.begin(now_s);
        line(ask->service).reserved_microusd += ask->max_cost_microusd;
      }
      spent_ = spent_ || money == Money::spent;
      answer(*ask, money == Money::enough);
      ask = account.asks.erase(ask);
    }
  }
}

}  // namespace evd::run
