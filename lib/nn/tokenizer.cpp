#include "nn/tokenizer.hpp"

#include <algorithm>
#include <string>

#include <sentencepiece_processor.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "fs/file.hpp"

namespace evd::nn {

struct Tokenizer::State {
  sentencepiece::SentencePieceProcessor processor;
  Sha256 digest;
};

namespace {

using sentencepiece::SentencePieceProcessor;

void load(SentencePieceProcessor& processor, const std::string& bytes, const std::string& where) {
  std::string problem;
  try {
    const auto status = processor.LoadFromSerializedProto(bytes);
    if (status.ok()) return;
    problem = status.message();
  } catch (const std::exception& error) {  // its tries throw
    problem = error.what();
  }
  std::replace(problem.begin(), problem.end(), '\n', ' ');
  throw DataError(where + ": no SentencePiece model (" + problem +
                  "): name the spiece.model of the T5 weights");
}

void check_that_control_is_text(const SentencePieceProcessor& processor, const std::string& where) {
  for (const std::string text : {"</s>", "<pad>", "<extra_id_0>"}) {
    const int own = processor.PieceToId(text);
    for (const int id : processor.EncodeAsIds(text)) {
      const bool whole = id == own && !processor.IsUnknown(id);
      if (whole || processor.IsControl(id)) {
        throw DataError(where + ": the model takes " + text +
                        " in a text for one token (a user-defined piece): use the model of T5, "
                        "in which it is none");
      }
    }
  }
}

// A file that was cut between two fields is a model still, of fewer pieces and without the rules.
void check_normalisation(const SentencePieceProcessor& processor, const std::string& where) {
  if (processor.EncodeAsPieces("\xef\xac\x81") != processor.EncodeAsPieces("fi")) {
    throw DataError(where +
                    ": the model does not normalise text as T5's does (nmt_nfkc; is the file cut "
                    "short?): copy it again");
  }
}

}  // namespace

Tokenizer::Tokenizer(const std::filesystem::path& model) : state_(std::make_unique<State>()) {
  const std::string where = model.string();
  const std::string bytes = fs::read_text(model);
  state_->digest = sha256(std::as_bytes(std::span(bytes)));
  load(state_->processor, bytes, where);
  if (eos() < 0) throw DataError(where + ": the SentencePiece model has no end token (</s>)");
  check_normalisation(state_->processor, where);
  check_that_control_is_text(state_->processor, where);
}

Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&& other) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&& other) noexcept = default;

std::vector<int> Tokenizer::encode(std::string_view text, int max_tokens) const {
  if (max_tokens < 1) throw InternalError("a text of less than one token was asked for");
  std::vector<int> ids;
  const auto status = state_->processor.Encode({text.data(), text.size()}, &ids);
  if (!status.ok()) throw InternalError(std::string("tokenizer: ") + status.message());
  if (ids.size() >= static_cast<std::size_t>(max_tokens)) {
    ids.resize(static_cast<std::size_t>(max_tokens) - 1);
  }
  ids.push_back(eos());
  return ids;
}

int Tokenizer::eos() const { return state_->processor.eos_id(); }
int Tokenizer::vocab() const { return state_->processor.GetPieceSize(); }
const Sha256& Tokenizer::digest() const { return state_->digest; }

}  // namespace evd::nn
