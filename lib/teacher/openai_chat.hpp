#pragma once

#include "teacher/ending.hpp"

namespace evd::teacher {

/// What follows from a whole answer with status 2xx of POST {base}/chat/completions (OpenAI, vLLM,
/// llama.cpp). The payload is choices[0].message.content; a filtered or refused answer is a
/// refusal; an answer that was cut by the token limit counts, with reason `length`.
[[nodiscard]] Ending examine_chat(const http::Response& response, double now_unix_s);

}  // namespace evd::teacher
