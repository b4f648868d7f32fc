#include "teacher/key.hpp"

namespace evd::teacher {

RequestKey request_key(const Request& request) {
  Sha256Stream stream;
  stream.field("request 1").field(request.service).field(request.model).field(request.prompt);
  stream.field(static_cast<std::uint64_t>(request.width));
  stream.field(static_cast<std::uint64_t>(request.height));
  stream.field(request.parameters).field(static_cast<std::uint64_t>(request.sample_index));
  return RequestKey(stream.finish().bytes());
}

}  // namespace evd::teacher
