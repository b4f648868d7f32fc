#include "run/handout.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <utility>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "run/permit_desk.hpp"

namespace evd::run {
namespace {

constexpr int kTag = 1;

enum class Kind : std::int64_t {
  want,      // rank -> 0: items, please
  finished,  // rank -> 0: a = how many
  returned,  // rank -> 0: a = how many were handed out and not begun
  ask,       // rank -> 0: a = ticket, b = service, c = micro-dollars
  done,      // rank -> 0: a = service, b = reserved, c = paid, d = throttled
  stop,      // both ways
  items,     // 0 -> rank: a = first, b = behind the last; equal = no more
  grant,     // 0 -> rank: a = ticket, b = granted, c = budget spent
  complete,  // 0 -> rank
};

struct Note {
  Kind kind = Kind::want;
  std::int64_t a = 0;
  std::int64_t b = 0;
  std::int64_t c = 0;
  std::int64_t d = 0;
};

}  // namespace

struct Handout::State {
  State(const Setup& given, mpi::Communicator& world)
      : setup(given), comm(world.duplicate()), desk(given) {}

  [[nodiscard]] bool is_root() const { return comm.rank() == 0; }

  // To oneself without a message, and later, so that nobody is called from inside his own call.
  void send(int rank, const Note& note) {
    if (rank == comm.rank()) {
      to_self.push_back(note);
      return;
    }
    comm.send(rank, kTag, std::as_bytes(std::span(&note, 1)));
  }
  void to_root(const Note& note) { send(0, note); }
  void to_all(const Note& note) {
    for (int rank = 0; rank < comm.size(); ++rank) send(rank, note);
  }

  void receive() {
    while (const auto message = comm.poll(kTag)) {
      Note note;
      if (message->bytes.size() != sizeof note)
        throw InternalError("hand-out: a message of another kind arrived");
      std::memcpy(&note, message->bytes.data(), sizeof note);
      take(message->source, note);
    }
    for (std::size_t left = to_self.size(); left > 0; --left) {
      const Note note = to_self.front();
      to_self.pop_front();
      take(comm.rank(), note);
    }
  }

  void take(int source, const Note& note) {
    switch (note.kind) {
      case Kind::want:
        return serve_items(source);
      case Kind::finished:
        finished += note.a;
        return;
      case Kind::returned:
        returned += note.a;
        return;
      case Kind::ask:
        return desk.ask({source, note.a, static_cast<int>(note.b), note.c});
      case Kind::done:
        return desk.done(static_cast<int>(note.a), note.b, note.c, note.d != 0);
      case Kind::stop:
        return begin_stop();
      case Kind::items:
        wanting = false;
        no_more = no_more || note.a == note.b;
        for (std::int64_t item = note.a; item < note.b; ++item) queue.push_back(item);
        return;
      case Kind::grant:
        return granted(note);
      case Kind::complete:
        completed = true;
        return;
    }
  }

  void serve_items(int rank) {
    const std::int64_t end = stopping ? handed : std::min(setup.items, handed + setup.chunk);
    send(rank, {.kind = Kind::items, .a = handed, .b = end});
    handed = end;
  }

  void begin_stop() {
    if (std::exchange(stopping, true)) return;
    if (is_root()) to_all({.kind = Kind::stop});
  }

  void granted(const Note& note) {
    spent = spent || note.c != 0;
    const auto ticket = tickets.extract(note.a);
    if (!ticket.empty()) ticket.mapped()(note.b != 0);
  }

  // Rank 0: answers what can be answered now.
  void serve() {
    desk.serve(monotonic_s(), [&](const PermitDesk::Ask& ask, bool granted) {
      spent = spent || desk.budget_spent();
      send(ask.rank, {.kind = Kind::grant,
                      .a = ask.ticket,
                      .b = granted ? 1 : 0,
                      .c = desk.budget_spent() ? 1 : 0});
    });
    const bool all_out = stopping || handed == setup.items;
    if (all_out && finished + returned == handed && !std::exchange(announced, true))
      to_all({.kind = Kind::complete});
  }

  void give_back_queue() {
    if (queue.empty()) return;
    to_root({.kind = Kind::returned, .a = static_cast<std::int64_t>(queue.size())});
    queue.clear();
  }

  Setup setup;
  mpi::Communicator comm;
  std::deque<Note> to_self;

  // This rank.
  std::deque<std::int64_t> queue;
  bool wanting = false;
  bool no_more = false;
  bool stopping = false;
  bool completed = false;
  bool spent = false;
  std::int64_t next_ticket = 0;
  std::map<std::int64_t, std::function<void(bool)>> tickets;

  // Rank 0.
  PermitDesk desk;
  std::int64_t handed = 0;
  std::int64_t finished = 0;
  std::int64_t returned = 0;
  bool announced = false;
};

Handout::Handout(const Setup& setup, mpi::Communicator& world)
    : state_(std::make_unique<State>(setup, world)) {}
Handout::~Handout() = default;

void Handout::ask(int service, std::int64_t max_cost_microusd, std::function<void(bool)> granted) {
  const std::int64_t ticket = state_->next_ticket++;
  state_->tickets.emplace(ticket, std::move(granted));
  state_->to_root({.kind = Kind::ask, .a = ticket, .b = service, .c = max_cost_microusd});
}

void Handout::done(int service, std::int64_t reserved_microusd, std::int64_t paid_microusd,
                   bool throttled) {
  state_->to_root({.kind = Kind::done,
                   .a = service,
                   .b = reserved_microusd,
                   .c = paid_microusd,
                   .d = throttled ? 1 : 0});
}

std::int64_t Handout::next() {
  State& state = *state_;
  if (state.completed) return -2;
  if (state.stopping) state.give_back_queue();
  // Asked for before the last is gone, so that the answer is there in time.
  const bool is_low = static_cast<int>(state.queue.size()) <= state.setup.chunk / 2;
  if (is_low && !state.wanting && !state.no_more && !state.stopping) {
    state.wanting = true;
    state.to_root({.kind = Kind::want});
    if (state.is_root()) state.receive();
  }
  if (state.queue.empty()) return state.no_more || state.stopping ? -2 : -1;
  const std::int64_t item = state.queue.front();
  state.queue.pop_front();
  return item;
}

void Handout::finished(std::int64_t /*item*/) { state_->to_root({.kind = Kind::finished, .a = 1}); }

void Handout::step() {
  state_->receive();
  if (state_->stopping) state_->give_back_queue();
  if (!state_->is_root()) return;
  state_->serve();
  state_->receive();
}

std::int64_t Handout::finished_count() const { return state_->finished; }
std::int64_t Handout::paid_microusd() const { return state_->desk.paid_microusd(); }
bool Handout::complete() { return state_->completed; }
bool Handout::stopping() const { return state_->stopping; }
bool Handout::budget_spent() const { return state_->spent; }

void Handout::stop() {
  if (!state_->stopping) state_->to_root({.kind = Kind::stop});
}

}  // namespace evd::run
