#include "text/tokenizer.h"

#include <exception>
#include <mutex>

#include "base/file.h"
#include "base/thread_pool.h"
#include "text/tokenizer/pipeline.h"

namespace hearth::text {

Tokenizer::Tokenizer(std::unique_ptr<Pipeline> pipeline) : pipeline_(std::move(pipeline)) {}
Tokenizer::~Tokenizer() = default;

std::shared_ptr<const Tokenizer> Tokenizer::load(const std::filesystem::path& folder) {
  return std::shared_ptr<const Tokenizer>(new Tokenizer(read_tokenizer_folder(folder)));
}

std::shared_ptr<const Tokenizer> Tokenizer::from_json(std::string_view json, std::string_view source) {
  return std::shared_ptr<const Tokenizer>(new Tokenizer(read_tokenizer_json(json, source)));
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, bool add_special_tokens) const {
  std::vector<int32_t> ids;
  pipeline_->encode(text, add_special_tokens, ids);
  return ids;
}

Encoding Tokenizer::encode_with_offsets(std::string_view text, const EncodeOptions& options) const {
  const bool limited = options.truncate_and_pad.value_or(pipeline_->limits_by_default);
  std::vector<Encoding> one;
  one.push_back(pipeline_->encode_fully(text, options.add_special_tokens, options.unit, limited));
  if (limited) pipeline_->pad_all(one);
  return std::move(one.front());
}

std::vector<std::vector<int32_t>> Tokenizer::encode_batch(std::span<const std::string_view> texts,
                                                          bool add_special_tokens) const {
  const bool limited = pipeline_->limits_by_default && (pipeline_->truncation || pipeline_->padding);
  std::vector<std::vector<int32_t>> ids(texts.size());
  std::vector<Encoding> encodings(limited ? texts.size() : 0);
  std::exception_ptr failure;
  std::mutex failure_mutex;
  parallel_for(texts.size(), 1, [&](size_t begin, size_t end) {
    try {
      for (size_t i = begin; i < end; ++i) {
        if (limited) {
          encodings[i] = pipeline_->encode_fully(texts[i], add_special_tokens, OffsetUnit::kBytes, true);
        } else {
          pipeline_->encode(texts[i], add_special_tokens, ids[i]);
        }
      }
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
  if (!limited) return ids;
  pipeline_->pad_all(encodings);
  for (size_t i = 0; i < texts.size(); ++i) ids[i] = std::move(encodings[i].ids);
  return ids;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special_tokens) const {
  return pipeline_->decode(ids, skip_special_tokens);
}

int Tokenizer::vocab_size() const { return pipeline_->end_id(); }

std::optional<int32_t> Tokenizer::token_to_id(std::string_view token) const {
  int32_t id = pipeline_->added.find_id(token);
  if (id < 0) id = pipeline_->model->vocabulary().find(token);
  return id < 0 ? std::nullopt : std::optional(id);
}

std::string Tokenizer::id_to_token(int32_t id) const {
  if (const AddedToken* token = pipeline_->added.token(id)) return token->content;
  return std::string(pipeline_->model->vocabulary().token(id));
}

bool Tokenizer::is_special(int32_t id) const { return pipeline_->is_special(id); }

const std::string& Tokenizer::bos_token() const { return pipeline_->bos.content; }
const std::string& Tokenizer::eos_token() const { return pipeline_->eos.content; }
const std::string& Tokenizer::unk_token() const { return pipeline_->unk.content; }
const std::string& Tokenizer::pad_token() const { return pipeline_->pad.content; }
std::optional<int32_t> Tokenizer::bos_id() const { return pipeline_->bos.id; }
std::optional<int32_t> Tokenizer::eos_id() const { return pipeline_->eos.id; }
std::optional<int32_t> Tokenizer::unk_id() const { return pipeline_->unk.id; }
std::optional<int32_t> Tokenizer::pad_id() const { return pipeline_->pad.id; }

}  // namespace hearth::text
