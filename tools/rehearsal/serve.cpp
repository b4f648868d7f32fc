#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <sstream>
#include <thread>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "rehearsal/commands.hpp"
#include "rehearsal/server.hpp"
#include "run/config.hpp"

namespace evd::rehearsal {
namespace {

struct Arguments {
  std::string config;
  std::string bind = "127.0.0.1";
  int port = 0;
  std::string ledger;
  int token_fd = -1;
  std::string token_file;
  int parent_fd = -1;
  bool open = false;
  std::map<std::string, std::string> overrides;  // keys of [rehearsal]
};

// Adds a flag for each key of [rehearsal]: --latency-ms for latency_ms.
struct FlagMaker {
  template <class T>
  void operator()(std::string_view key, const T& value, const OptionInfo& info) {
    if (key == "enabled") return;
    std::string flag = "--" + std::string(key);
    std::replace(flag.begin(), flag.end(), '_', '-');
    std::string help(info.help);
    if (!info.unit.empty()) help += " (" + std::string(info.unit) + ")";
    std::ostringstream otherwise;
    otherwise << value;
    command
        .add_option_function<std::string>(
            flag,
            [into = &overrides, name = std::string(key)](const std::string& given) {
              (*into)[name] = given;
            },
            help + ", default " + otherwise.str())
        ->type_name("NUMBER")
        ->group("The world (over what --config says)");
  }
  CLI::App& command;
  std::map<std::string, std::string>& overrides;
};

std::int64_t microusd(double usd) { return std::llround(usd * 1e6); }

World world_of(const run::Config& config) {
  const run::RehearsalOptions& options = config.rehearsal;
  World world;
  world.seed = options.seed;
  world.troubles = {.fail = options.fail_rate,
                    .throttle = options.throttle_rate,
                    .nonsense = options.nonsense_rate,
                    .truncate = options.truncate_rate,
                    .refuse = options.refuse_rate,
                    .latency_ms = options.latency_ms};
  world.temper = {.position_bias = options.position_bias, .noise = options.judge_noise};
  world.malformed_rate = options.malformed_rate;
  for (const auto& teacher : config.teachers)
    world.prices[teacher.model] = {teacher.name, microusd(teacher.price_usd)};
  world.prices[std::string(kJudgeModel)] = {config.vlm.name, microusd(config.vlm.price_usd)};
  return world;
}

// The first line that comes through a descriptor.
std::string read_line(int descriptor, const std::string& what) {
  std::string line;
  for (char c = 0;;) {
    const auto got = ::read(descriptor, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("read " + what, "descriptor " + std::to_string(descriptor));
    if (got == 0 || c == '\n') break;
    line += c;
    if (line.size() > 4096) throw UsageError(what + " is longer than a line can be");
  }
  line = trim(line);
  if (line.empty()) throw UsageError(what + " is empty (a line with the token is expected)");
  return line;
}

std::string token_of(const Arguments& arguments) {
  if (arguments.token_fd >= 0) {
    std::string token = read_line(arguments.token_fd, "the token");
    ::close(arguments.token_fd);
    return token;
  }
  if (!arguments.token_file.empty()) {
    const int file = ::open(arguments.token_file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) throw_errno("open", arguments.token_file);
    struct stat status {};
    const bool secret = ::fstat(file, &status) == 0 && (status.st_mode & 077U) == 0;
    if (!secret) {
      ::close(file);
      throw ConfigurationError(arguments.token_file +
                               " may be read by others (chmod 600 it first)");
    }
    std::string token = read_line(file, arguments.token_file);
    ::close(file);
    return token;
  }
  if (arguments.open) return {};
  throw UsageError(
      "no token (give --token-file FILE, or --open to serve everybody on this machine)");
}

// Ends the process when the other end of the pipe is closed. Nothing is lost by leaving at once:
// what was charged stands in the ledger.
void leave_with_parent(int descriptor) {
  std::thread([descriptor] {
    char c = 0;
    for (;;) {
      const auto got = ::read(descriptor, &c, 1);
      if (got == 0 || (got < 0 && errno != EINTR)) std::_Exit(0);
    }
  }).detach();
}

void serve(const Arguments& arguments) {
  ::signal(SIGPIPE, SIG_IGN);
  run::Config config;
  if (!arguments.config.empty())
    config = run::parse_config(fs::read_text(arguments.config), arguments.config);
  std::vector<std::string> settings;
  for (const auto& [key, value] : arguments.overrides)
    settings.push_back("rehearsal." + key + "=" + value);
  run::apply_settings(config, settings);
  const std::string token = token_of(arguments);
  Ledger ledger(arguments.ledger);
  Server server(world_of(config), ledger, token);
  const int port = server.bind(arguments.bind, arguments.port);
  if (arguments.parent_fd >= 0) leave_with_parent(arguments.parent_fd);
  std::printf("{\"port\": %d}\n", port);
  std::fflush(stdout);
  server.run();
}

}  // namespace

Command add_serve(CLI::App& app) {
  auto* command = app.add_subcommand("serve", "Serve four image models and a judge over HTTP");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--config", arguments->config,
                      "Campaign configuration: [rehearsal], prices and names");
  command->add_option("--bind", arguments->bind, "Address to listen on")->capture_default_str();
  command->add_option("--port", arguments->port, "Port; 0 = any free one")
      ->capture_default_str()
      ->check(CLI::Range(0, 65535));
  command->add_option("--ledger", arguments->ledger,
                      "New file for what is charged, best named ledger-<life>.jsonl; none = kept "
                      "in memory");
  command->add_option("--token-fd", arguments->token_fd, "Descriptor to read the token from");
  command->add_option("--token-file", arguments->token_file, "File of mode 0600 with the token");
  command->add_flag("--open", arguments->open, "Serve without a token");
  command->add_option("--parent-fd", arguments->parent_fd, "End when this descriptor is closed");
  FlagMaker flags{*command, arguments->overrides};
  run::RehearsalOptions defaults;
  defaults.describe(flags);
  return {command, [arguments] { serve(*arguments); }};
}

}  // namespace evd::rehearsal
