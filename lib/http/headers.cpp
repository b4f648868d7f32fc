#include "http/headers.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include <curl/curl.h>

#include "core/error.hpp"

namespace evd::http {
namespace {

void wipe(curl_slist* list) {
  for (curl_slist* entry = list; entry != nullptr; entry = entry->next)
    explicit_bzero(entry->data, std::strlen(entry->data));
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

Headers::~Headers() {
  wipe(list_);
  curl_slist_free_all(list_);
}

Headers::Headers(Headers&& other) noexcept : list_(std::exchange(other.list_, nullptr)) {}

Headers& Headers::operator=(Headers&& other) noexcept {
  std::swap(list_, other.list_);
  return *this;
}

void Headers::add(std::string_view name, std::string_view value) {
  if (has_control_character(name) || has_control_character(value))
    throw InternalError("a request header holds a control character");
  std::string line;
  line.reserve(name.size() + value.size() + 2);
  line.append(name).append(": ").append(value);
  curl_slist* longer = curl_slist_append(list_, line.c_str());
  explicit_bzero(line.data(), line.size());
  if (longer == nullptr) throw std::bad_alloc();
  list_ = longer;
}

}  // namespace evd::http
