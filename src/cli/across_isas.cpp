// The same steps are evaluated with each instruction set under observation (core/observe.h), which gives a list of
// operations with a digest of what each computed. Lists are compared with scalar's, the specification.
#include "cli/across_isas.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "cli/environment.h"
#include "core/cpu/isa.h"
#include "core/observe.h"
#include "generate/random_stream.h"

namespace hearth::cli {
namespace {

constexpr int kTokens = 16;  // few, because the scalar tables are slow

struct Operation {
  int token;         // the first of its step
  std::string what;  // name, type and shape
  size_t digest;     // of the bytes of its outputs

  bool operator==(const Operation&) const = default;
};

size_t digest_of(mx::Arrays outputs) {
  size_t digest = 0;
  for (const mx::array& output : outputs) {
    const mx::array dense = mx::row_contiguous(output);
    const std::string_view bytes(reinterpret_cast<const char*>(dense.data<uint8_t>()), dense.nbytes());
    digest = digest * 31 + std::hash<std::string_view>{}(bytes);
  }
  return digest;
}

std::string describe(const mx::Primitive& primitive, const mx::array& output) {
  return fmt::format("{} {} [{}]", primitive.name(), mx::dtype_to_string(output.dtype()),
                     fmt::join(output.shape().begin(), output.shape().end(), ", "));
}

std::vector<int32_t> some_tokens(int count, int vocabulary) {
  generate::RandomStream random(2024);
  std::vector<int32_t> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(static_cast<int32_t>(random.uniform() * vocabulary));
  return tokens;
}

// Appends `count` tokens and computes all their hidden states and the last one's logits.
void run_step(models::Model& model, cache::SequenceCache& cache, const int32_t* tokens, int count) {
  cache::RaggedBatch batch;
  batch.add(cache, count);
  const mx::array hidden = model.forward(mx::array(tokens, mx::Shape{count}, mx::int32), batch);
  const mx::array last = mx::slice(hidden, mx::Shape{count - 1, 0}, hidden.shape());
  mx::eval(hidden, model.logits(last));
}

std::vector<Operation> operations_on(cpu::Isa isa, models::Model& model, const std::vector<int32_t>& tokens) {
  cpu::use_isa(isa);
  const auto cache = model.make_cache({});
  const int count = static_cast<int>(tokens.size());
  std::vector<Operation> operations;
  ProgressLine progress;
  for (int begin = 0, step = count - count / 4; begin < count; begin += step, step = 1) {
    progress.show(fmt::format("{}: token {} of {}", cpu::isa_name(isa), begin, count));
    const mx::Observation observation([&](const mx::Primitive& primitive, mx::Arrays outputs) {
      operations.push_back({begin, describe(primitive, outputs[0]), digest_of(outputs)});
    });
    run_step(model, *cache, tokens.data() + begin, step);
  }
  return operations;
}

// The first operation that differs, in words; nothing if all are the same.
std::optional<std::string> first_difference(const std::vector<Operation>& a, const std::vector<Operation>& b) {
  const auto [at, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (at == a.end() && other == b.end()) return std::nullopt;
  const Operation& first = at == a.end() ? *other : *at;
  return fmt::format("token {}, operation {} of {}, {}", first.token, at - a.begin() + 1, a.size(), first.what);
}

}  // namespace

int compare_isas(models::Model& model, std::optional<int> wanted_tokens) {
  const int context = model.info().context_length, few = context > 0 ? std::min(kTokens, context) : kTokens;
  const int tokens = wanted_tokens.value_or(few);
  const std::vector<int32_t> ids = some_tokens(tokens, model.vocab_size());
  run_step(model, *model.make_cache({}), ids.data(), 1);  // what is computed from weights once is computed now
  const std::vector<Operation> reference = operations_on(cpu::Isa::kScalar, model, ids);
  print_now(fmt::format("{:<12} {} operations on {} tokens\n", "scalar", reference.size(), tokens));
  int failures = 0;
  for (const cpu::Isa isa : cpu::available_isas().subspan(1)) {
    const bool may_differ = isa == cpu::Isa::kAvx512Bf16;
    const auto difference = first_difference(reference, operations_on(isa, model, ids));
    const char* verdict = may_differ ? "products of its own, first at" : "DIFFERS from";
    print_now(fmt::format("{:<12} {}\n", cpu::isa_name(isa),
                          difference ? fmt::format("{} {}", verdict, *difference) : "same bits"));
    failures += difference && !may_differ;
  }
  print_now(failures == 0 ? "Every instruction set that must gave the same bits.\n"
                          : fmt::format("{} instruction sets differ.\n", failures));
  return failures;
}

}  // namespace hearth::cli
