#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "report.hpp"
#include "run/campaign.hpp"

namespace evd::hands {

Command add_report(CLI::App& app) {
  auto* sub = app.add_subcommand("report", "Write DIR/report.html again");
  auto directory = std::make_shared<std::filesystem::path>();
  sub->add_option("DIR", *directory, "Campaign directory")->required();
  return {sub, [directory] {
            std::cout << report::write_report(run::Campaign(*directory)).string() << "\n";
            return 0;
          }};
}

}  // namespace evd::hands
