#include "services.hpp"

#include <filesystem>
#include <stdexcept>

#include <nlohmann/json.hpp>
#include <signal.h>

namespace evd::rehearsal {

using nlohmann::json;

Services::Services(const test::TempDir& directory, const std::vector<std::string>& arguments,
                   const std::string& life) {
  const auto token = directory / "token";
  test::write_file(token, std::string(kToken) + "\n");
  std::filesystem::permissions(token, std::filesystem::perms::owner_read);
  std::vector<std::string> line = {test::program("evd-rehearsal"),
                                   "serve",
                                   "--token-file",
                                   token.string(),
                                   "--ledger",
                                   (directory / ("ledger-" + life + ".jsonl")).string()};
  line.insert(line.end(), arguments.begin(), arguments.end());
  process_ = std::make_unique<test::Process>(test::Command{.arguments = line, .timeout_s = 300});
  if (!process_->wait_for("}\n")) throw std::runtime_error("no port: " + process_->err_so_far());
  port_ = json::parse(process_->out_so_far()).at("port").get<int>();
  std::filesystem::permissions(token, std::filesystem::perms::owner_all);
}

void Services::kill() {
  process_->signal(SIGKILL);
  (void)process_->wait();
}

std::string picture_body(const std::string& model, const std::string& prompt, int extra) {
  return json{{"model", model}, {"prompt", prompt},       {"size", "128x128"},
              {"n", 1},         {"output_format", "png"}, {"user", std::to_string(extra)}}
      .dump();
}

std::string question_body(const std::string& schema, const std::string& text,
                          const std::vector<std::string>& pictures, int extra) {
  json content = json::array({{{"type", "text"}, {"text", text}}});
  for (const auto& picture : pictures)
    content.push_back(
        {{"type", "image_url"}, {"image_url", {{"url", "data:image/png;base64," + picture}}}});
  return json{{"model", "judge"},
              {"messages", {{{"role", "user"}, {"content", content}}}},
              {"logprobs", true},
              {"top_logprobs", 5},
              {"user", std::to_string(extra)},
              {"response_format",
               {{"type", "json_schema"},
                {"json_schema", {{"name", schema}, {"strict", true}, {"schema", json::object()}}}}}}
      .dump();
}

}  // namespace evd::rehearsal
