#pragma once

#include <string>
#include <string_view>

#include "teacher/ending.hpp"

namespace evd::teacher {

/// The error that a service reports: OpenAI's object, its code as text or number (vLLM, llama.cpp),
/// a bare text, FastAPI's `detail`, or else the body's beginning.
struct ServiceFault {
  std::string code;
  std::string type;
  std::string message;
};
[[nodiscard]] ServiceFault parse_fault(std::string_view body);

/// Whether the fault says that the prompt, or the picture made from it, is not wanted.
[[nodiscard]] bool is_refusal(const ServiceFault& fault);

/// What follows from an answer whose status is not 2xx, or from an error object inside a 2xx.
[[nodiscard]] Ending ending_of_fault(const http::Response& response, const ServiceFault& fault,
                                     double now_unix_s);
/// What follows from a transfer without a whole answer.
[[nodiscard]] Ending ending_of_transfer(const http::Response& response);
/// A whole answer with status 2xx that is no good: it may have been charged.
[[nodiscard]] Ending unusable(std::string reason, std::string message);

}  // namespace evd::teacher
