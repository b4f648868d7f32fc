#include "history.hpp"

#include <nlohmann/json.hpp>

#include "core/clock.hpp"
#include "core/enum.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "run/lease.hpp"

namespace evd::hands {

void append_history(const std::filesystem::path& campaign, int round,
                    const std::vector<run::Change>& changes) {
  const auto path = campaign / "config-history.jsonl";
  std::error_code ignored;
  std::string text = std::filesystem::exists(path, ignored) ? fs::read_text(path) : "";
  const std::string user = run::lease_identity({}, "", 1).user;
  for (const auto& change : changes) {
    const nlohmann::ordered_json json = {{"time", iso8601(utc_ms())},   {"user", user},
                                         {"from_round", round},         {"key", change.path},
                                         {"scope", name(change.scope)}, {"before", change.before},
                                         {"after", change.after}};
    text += json.dump() + "\n";
  }
  fs::publish(path, text);
}

}  // namespace evd::hands
