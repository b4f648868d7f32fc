#pragma once

#include <map>
#include <string>

#include "core/hash.hpp"

namespace evd::nn {

/// The members of a ZIP file that are stored, not compressed, as torch.save writes all of them
/// (ZIP64 included): name -> bytes, views into `file`; compressed ones are left out. Every offset
/// is checked. DataError is one line with `where`: no ZIP file, cut short, encrypted, a name twice.
/// Format: PKWARE APPNOTE 6.3.
[[nodiscard]] std::map<std::string, Bytes, std::less<>> stored_members(Bytes file,
                                                                       const std::string& where);

}  // namespace evd::nn
