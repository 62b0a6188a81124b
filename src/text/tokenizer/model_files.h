// Tokenizers from files other than tokenizer.json: tiktoken ranks, SentencePiece models, vocab.json with merges.txt.
//
// Each gives a pipeline without the folder's own tokens; all throw LoadError naming the source.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "text/tokenizer/pipeline.h"

namespace hearth::text {

// Adds a token to a pipeline whose normalizer and model are in place; finish() is due after the last.
// (tokenizer_json.cpp)
void add_token(Tokenizer::Pipeline& pipeline, const AddedToken& token);

// Lines of base64 bytes and rank. Words are found by the pattern of the family that the class or file name stands for:
// QWenTokenizer (Qwen 1), TikTokenTokenizer (Kimi), o200k, p50k and r50k by name, else that of cl100k and Llama 3.
// Source: openai/tiktoken load.py, core.py.
std::unique_ptr<Tokenizer::Pipeline> read_tiktoken(std::string_view content, std::string_view source,
                                                   std::string_view tokenizer_class);
bool is_tiktoken(std::string_view content);

struct SentencePieceNames {
  std::string bos, eos, unk, pad;  // "" where the model has none
};

// A ModelProto of type BPE or unigram. With `find_control` the control tokens are found in texts, as transformers does;
// SentencePiece itself never finds them.
// Source: google/sentencepiece sentencepiece_model.proto, normalizer.cc, bpe_model.cc, unigram_model.cc.
std::unique_ptr<Tokenizer::Pipeline> read_sentencepiece(std::string_view content, std::string_view source,
                                                        bool find_control, SentencePieceNames& names);

// GPT-2's two files. Qwen2Tokenizer and its kin bring their own pattern.
std::unique_ptr<Tokenizer::Pipeline> read_vocab_and_merges(std::string_view vocab, std::string_view vocab_source,
                                                           std::string_view merges, std::string_view merges_source,
                                                           std::string_view tokenizer_class, bool add_prefix_space);

}  // namespace hearth::text
