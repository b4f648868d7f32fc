#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "teacher/options.hpp"

namespace evd::teacher {

/// A service's key. It stands in this object only, has no way to a stream or a log, and is
/// overwritten before its memory is given back.
class Secret {
 public:
  Secret() = default;
  /// ConfigurationError naming `where` unless every byte is printable ASCII without spaces: other
  /// bytes could smuggle headers into the request.
  Secret(std::string value, const std::string& where);
  ~Secret();
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;

  [[nodiscard]] bool empty() const { return value_.empty(); }
  /// For the request header, and for nothing else.
  [[nodiscard]] std::string_view reveal() const { return value_; }
  /// `text` with every occurrence of the key replaced, also one that the text's end has cut: some
  /// services repeat it in error messages.
  [[nodiscard]] std::string redact(std::string text) const;

 private:
  std::string value_;
};

/// The key of a service: from the environment variable that `key_env` names, else from the file
/// that `key_file` names; empty when the service has neither. ConfigurationError when the variable
/// is unset, or the file is a link, is not ours, may be read by others or is larger than 4 KiB.
[[nodiscard]] Secret read_secret(const ServiceOptions& service);

}  // namespace evd::teacher
