#pragma once

#include <string>
#include <string_view>

#include "core/hash.hpp"

namespace evd::hands {

/// A tar archive (POSIX ustar) in memory, plain files only. The same members give the same bytes:
/// no owner, mode 0644, time 0.
class TarWriter {
 public:
  /// InternalError when the name is longer than 100 bytes or the content is 8 GiB or more.
  void add(std::string_view name, Bytes content);
  [[nodiscard]] std::size_t bytes() const { return archive_.size(); }
  /// The archive with its end mark; the next one begins empty.
  [[nodiscard]] std::string finish();

 private:
  std::string archive_;
};

}  // namespace evd::hands
