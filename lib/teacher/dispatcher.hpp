#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/loop.hpp"
#include "teacher/account.hpp"
#include "teacher/caller.hpp"
#include "teacher/ending.hpp"
#include "teacher/journal.hpp"
#include "teacher/journal_writer.hpp"
#include "teacher/workers.hpp"

namespace evd::teacher {

/// What Caller does, step by step. An errand is in one place at a time:
///
///   ready -> permit asked -> intent queued -> (durable) in flight -> (worker) examined
///     -> end queued -> waiting (back-off) -> ready
///     -> reply queued -> (durable) replied
class Dispatcher {
 public:
  Dispatcher(const Caller::Setup& setup, Permits& permits, const Log& log);
  void submit(int service, Call call, std::function<void(Reply)> replied);
  void step(int wait_ms);
  void stop();
  [[nodiscard]] std::size_t pending() const { return active_.size() + replies_.size(); }
  [[nodiscard]] std::size_t held() const;
  [[nodiscard]] std::string trouble() const;
  [[nodiscard]] std::vector<std::string> services_down() const;
  [[nodiscard]] const std::vector<shard::Call>& calls() const { return calls_; }
  [[nodiscard]] const Caller::JournalFailure& journal_failure() const { return journal_failure_; }
  [[nodiscard]] std::vector<std::string> files() { return writer_.files(); }

 private:
  using Held = std::shared_ptr<Errand>;
  struct Examined {
    Held errand;
    Ending ending;
    http::Response response;
  };

  Account& account(const Errand& errand) { return *by_service_.at(errand.service); }
  [[nodiscard]] bool reply_from_record(const Recorded& recorded, const Call& call,
                                       std::function<void(Reply)>& replied);
  void pump();
  void follow_journal();
  void give_up_journal();
  void sweep(Account& account);
  void ask_permit(Account& account);
  void on_permit(const Held& errand, bool granted);
  void announce(const Held& errand);
  void send(const Held& errand, std::string body);
  void on_response(const Held& errand, http::Response response);
  void on_examined(Examined examined);
  [[nodiscard]] bool note_health(Account& account, const Ending& ending);
  void go_on(const Held& errand, const Ending& ending, End end, bool counts);
  void wait(const Held& errand, const Ending& ending, const End& end);
  void conclude(const Held& errand, const End& end, Reply reply);
  void reply_open(const Held& errand, const std::string& reason);
  void release_unsent(const Held& errand);
  void deliver(const Held& errand, Reply reply);
  struct Written {
    std::function<void()> durable = {};  ///< once it is on disk
    std::function<void()> lost = {};     ///< when it will never be
  };
  void write(const Errand& errand, const std::string& record, Role role, Written written);
  void warn_once(const Account& account, const Ending& ending);
  [[nodiscard]] Intent intent_of(const Errand& errand) const;

  Caller::Setup setup_;
  Permits& permits_;
  const Log& log_;
  std::shared_ptr<const Journals> journals_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  std::map<std::string, std::unique_ptr<Account>> accounts_;
  std::vector<Account*> by_service_;
  std::unordered_map<RequestKey, Held> active_;
  struct Queued {
    std::uint64_t number = 0;
    Role role = Role::note;
    Written written;
  };
  std::deque<Queued> not_durable_;
  std::deque<std::function<void()>> replies_;
  std::vector<shard::Call> calls_;
  std::set<std::pair<std::string, std::string>> warned_;
  bool stopping_ = false;
  bool journal_broken_ = false;
  Caller::JournalFailure journal_failure_;

  // In this order: the threads below wake the loop and fill the list, so they end first.
  http::Loop loop_;
  std::mutex examined_mutex_;
  std::vector<Examined> examined_;
  Workers workers_;
  JournalWriter writer_;
};

}  // namespace evd::teacher
