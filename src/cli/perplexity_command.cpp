// The text is cut into sequences that do not overlap; in each, every token but the first is predicted from those before
// it. Logits are computed for a few rows at a time: for a whole sequence they would take hundreds of megabytes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/load_model.h"
#include "generate/log_probabilities.h"
#include "generate/request.h"
#include "models/model.h"
#include "text/tokenizer.h"

namespace hearth::cli {
namespace {

constexpr const char* kPerplexityExamples = R"(  hearth perplexity --model DIR --data-path book.txt
  hearth perplexity --model DIR --data-path book.txt --sequence-length 1024 --json
)";

struct Loss {
  double total = 0;  // nats
  size_t tokens = 0;
};

// Adds the loss of every token of the sequence but the first.
void score(models::Model& model, std::span<const int32_t> tokens, Loss& loss) {
  constexpr int kRows = 32;
  const int count = static_cast<int>(tokens.size()) - 1;
  const auto cache = model.make_cache({.expected_tokens = count});
  cache::RaggedBatch batch;
  batch.add(*cache, count);
  mx::array hidden = model.forward(mx::array(tokens.data(), mx::Shape{count}, mx::int32), batch);
  mx::eval(hidden);
  for (int begin = 0; begin < count; begin += kRows) {
    const int end = std::min(begin + kRows, count);
    const mx::array rows = mx::slice(hidden, mx::Shape{begin, 0}, mx::Shape{end, hidden.shape(1)});
    const mx::array logits = mx::astype(model.logits(rows), mx::float32);
    const float* data = logits.data<float>();
    const size_t vocab = static_cast<size_t>(logits.shape(1));
    for (int row = begin; row < end; ++row) {
      const std::span<const float> values(data + static_cast<size_t>(row - begin) * vocab, vocab);
      const auto target = static_cast<size_t>(tokens[static_cast<size_t>(row) + 1]);
      loss.total += generate::log_sum_exp(values) - static_cast<double>(values[target]);
      ++loss.tokens;
    }
  }
}

}  // namespace

int run_perplexity(const Arguments& arguments) {
  std::string model_name = kDefaultModel, path;
  int sequence_length = 512, sequences = -1, threads = 0;
  bool json = false;
  CommandLine line("perplexity",
                   "Measures how well a model predicts a text: plain text, no template, no special tokens added.",
                   kPerplexityExamples);
  line.option("--model", model_name, std::string(kModelHelp) + " [" + kDefaultModel + "]");
  line.required("--data-path", path, "Text file, UTF-8");
  line.option("--sequence-length", sequence_length, "Tokens a sequence; the text is cut into such pieces");
  line.option("--num-samples", sequences, "Sequences to measure, from the text's beginning; -1: all");
  line.ignored_option("--batch-size");
  line.ignored_option("--seed");
  line.option("--threads", threads, "Threads; 0: one for each CPU");
  line.flag("--json", json, "Print one JSON object and nothing else");
  if (!line.parse(arguments)) return 0;
  if (sequence_length < 2 || sequence_length > 1 << 20)
    throw std::invalid_argument("--sequence-length must be between 2 and 1048576.");
  if (sequences < -1 || sequences == 0) throw std::invalid_argument("--num-samples must be -1 or at least 1.");
  use_threads(threads);

  const std::string text = read_file(path);
  generate::LoadedModel model = load_model(model_name);
  const std::vector<int32_t> tokens = generate::encode_text(model, text, /*special=*/false);
  if (tokens.size() < 2) throw LoadError(path, "The text has fewer than two tokens.");
  generate::require_in_vocabulary(tokens, model.model->vocab_size());
  const size_t longest = std::min(tokens.size(), static_cast<size_t>(sequence_length));
  if (model.context_length > 0 && longest > static_cast<size_t>(model.context_length))
    throw std::invalid_argument(
        fmt::format("--sequence-length must be at most {}, the model's context.", model.context_length));

  Loss loss;
  ProgressLine progress;
  const size_t length = static_cast<size_t>(sequence_length);
  for (size_t begin = 0; begin + 1 < tokens.size() && sequences != 0; begin += length, sequences -= sequences > 0) {
    progress.show(fmt::format("{} of {} tokens", begin, tokens.size()));
    score(*model.model, std::span(tokens).subspan(begin, std::min(length, tokens.size() - begin)), loss);
  }
  progress.clear();
  const double mean = loss.total / static_cast<double>(loss.tokens);
  if (!std::isfinite(mean))
    throw std::runtime_error("The model's logits are no finite numbers; its weights may be damaged.");
  if (json)
    print_now(Json{{"mean_nll", mean}, {"perplexity", std::exp(mean)}, {"tokens", loss.tokens}}.dump() + "\n");
  else
    print_now(fmt::format("Perplexity: {:.4f} (mean negative log-likelihood {:.6f} nat over {} tokens)\n",
                          std::exp(mean), mean, loss.tokens));
  return 0;
}

}  // namespace hearth::cli
