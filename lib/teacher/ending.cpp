#include "teacher/ending.hpp"

#include <exception>

#include "teacher/errors.hpp"
#include "teacher/openai_chat.hpp"
#include "teacher/openai_images.hpp"

namespace evd::teacher {

Ending examine(Wire wire, const http::Response& response, double now_unix_s) {
  if (response.fault != http::Fault::none) return ending_of_transfer(response);
  if (response.status < 200 || response.status >= 300)
    return ending_of_fault(response, parse_fault(response.body), now_unix_s);
  try {
    return wire == Wire::openai_chat ? examine_chat(response, now_unix_s)
                                     : examine_images(response, now_unix_s);
  } catch (const std::exception& error) {
    return unusable("unreadable", error.what());
  }
}

}  // namespace evd::teacher
