// Evaluates nothing: publishes one small table, and misbehaves as TINY tells it.
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include "core/error.hpp"
#include "run/program.hpp"
#include "shard/table.hpp"

namespace {

using namespace evd;

std::string behaviour() {
  const char* text = std::getenv("TINY");
  return text != nullptr ? text : "publish";
}

bool someone_stops(const run::Context& context) {
  return context.world.all_reduce(std::int64_t{context.stop ? 1 : 0}, mpi::Reduce::max) > 0;
}

void wait_for_stop(const run::Context& context) {
  context.log.info("waiting for a signal");
  context.progress.begin("turns", 1000);
  for (int turn = 0; !someone_stops(context); ++turn) {
    context.progress.update(turn);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  throw Stopped("a signal came");
}

run::Result work(run::Context& context) {
  const std::string what = behaviour();
  const int rank = context.world.rank();
  const bool last = rank == context.world.size() - 1;
  if (what == "throw" && last) throw DataError("somewhere/file.h5: dataset /id is damaged");
  if (what == "throw foreign" && last) throw std::runtime_error("not of the closed set");
  if (what == "throw" || what == "throw foreign") context.world.barrier();
  if (what == "wait") wait_for_stop(context);
  if (what == "lone stop") {
    if (last) throw Stopped("alone");
    context.world.barrier();
    context.world.barrier();
  }

  run::Result result;
  if (rank == 0) {
    shard::Metric metric;
    metric.metric.text = what == "other" ? "other" : "ranks";
    metric.value = 1;
    const std::array rows = {metric};
    result.files = {shard::write_table<shard::Metric>(context.directory / "metrics.h5",
                                                      context.header(), rows)};
    result.counts.done = 1;
    result.tallies["rows"] = 1;
    result.seconds["rendering"] = 0.001;
    result.closing_line = "one row, rerun " + std::to_string(static_cast<int>(context.rerun));
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  return run::program(argc, argv,
                      {{run::Stage::evaluate, "Publishes one row.", work},
                       {run::Stage::score, "Publishes one row, as score.", work}});
}
