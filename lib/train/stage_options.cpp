#include "train/stage_options.hpp"

#include <CLI/CLI.hpp>

namespace evd::train {

void add_stage_options(CLI::App& app, StageWishes& wishes) {
  app.add_option("--profile", wishes.profile,
                 "Record these steps of the round (10:13 = three of them) for Chrome's and "
                 "Perfetto's viewers,\none file a rank in DIR/logs/profile")
      ->type_name("FIRST:END");
}

}  // namespace evd::train
