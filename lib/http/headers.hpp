#pragma once

#include <string>
#include <string_view>

struct curl_slist;

namespace evd::http {

/// Request headers. Values may be secret: they are overwritten before the memory is given back.
class Headers {
 public:
  Headers() = default;
  ~Headers();
  Headers(Headers&&) noexcept;
  Headers& operator=(Headers&&) noexcept;

  /// Adds `name: value`; InternalError when either holds a control character (header injection).
  void add(std::string_view name, std::string_view value);
  [[nodiscard]] curl_slist* list() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

}  // namespace evd::http
