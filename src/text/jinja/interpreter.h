// Runs a template's tree over one set of variables.
//
// Threads: the tree may be shared; each rendering has an Interpreter of its own.
#pragma once

#include <array>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "text/jinja/ast.h"
#include "text/jinja/runtime.h"

namespace hearth::text::jinja {

// The variables of one function call. Slots of outer functions are reached through `outer`.
struct Activation {
  Activation* outer;
  Value* slots;
};

struct MacroValue {
  const MacroBody* body;
  Activation* closure;
};

class Interpreter {
 public:
  Interpreter(const Tree& tree, Runtime& runtime);

  // Puts a variable where the template finds it; ignored when the template never mentions it.
  void define(std::string_view name, Value value);

  // The template's text. Throws TemplateError.
  std::string render();

  // Characters [first, second) of the text that {% generation %} blocks made.
  const std::vector<std::pair<size_t, size_t>>& generation_spans() const { return spans_; }

 private:
  friend class TestIterator;
  enum class Flow { kNext, kBreak, kContinue };
  class Capture;
  class CallDepth;

  Flow run(const Body& body, Activation& activation);
  Flow run(const Stmt& statement, Activation& activation);
  void run_output(const Output& output, Activation& activation);
  Flow run_if(const If& statement, Activation& activation);
  Flow run_for(const For& loop, Activation& activation);
  Flow run_loop(const For& loop, Activation& activation, Value iterable, Activation& outside, size_t depth);
  bool run_plain_loop(const For& loop, Activation& activation, Value iterable);
  bool run_extended_loop(const For& loop, Activation& activation, Value iterable, Activation& outside, size_t depth);
  Value run_recursive(const For& loop, Activation& outside, Value iterable, size_t depth);
  Value call_loop(Loop& loop, const Args& args);
  void run_macro_definition(const Macro& macro, Activation& activation);
  void run_call_block(const CallBlock& block, Activation& activation);
  void run_generation(Value body);
  void run_block(const Block& block, Activation* outside);
  Flow run_filter_block(const FilterBlock& block, Activation& activation);
  Flow run_with(const With& with, Activation& activation);
  Flow run_set_block(const SetBlock& set, Activation& activation);
  void run_set(const Set& set, Activation& activation);

  void enter(const FrameLoads& loads, Activation& activation);
  void leave(const FrameLoads& loads, Activation& activation);
  Activation* activate(const FunctionScope& function, Activation* outer);
  Value& at(Slot slot, Activation& activation);
  void assign(const Expr& target, Value value, Activation& activation);
  void check_namespaces(const Expr& target, Activation& activation);

  Value eval(const Expr& expr, Activation& activation);
  Value eval_name(const Name& name, Activation& activation);
  Value eval_items(const Items& items, Activation& activation);
  Value eval_dict(const DictLiteral& dict, Activation& activation);
  Value eval_arithmetic(const Binary& binary, Activation& activation);
  struct Sum;
  Sum eval_parts(const Binary& sum, Activation& activation);
  Value add_up(const Sum& sum);
  Value eval_concat(const Concat& concat, Activation& activation);
  Value eval_compare(const Compare& compare, Activation& activation);
  Value eval_slice(const Slice& slice, Activation& activation);
  Value eval_call(const Call& call, Activation& activation, Value caller = Value());
  Value eval_filter(const Filter& filter, Value input, Activation& activation);
  // A chain of filters on the text of a block.
  Value eval_block_filter(const Expr& filter, Value input, Activation& activation);
  Value eval_test(const Test& test, Activation& activation);
  Value eval_condition(const Condition& condition, Activation& activation);
  Args eval_arguments(const Arguments& arguments, Activation& activation, Value caller = Value());
  bool eval_truth(const Expr& expr, Activation& activation);

  Value call(Value callee, const Args& args);
  Value call_macro(Value macro, const Args& args);
  void fill_defaults(const MacroBody& body, Activation& activation);
  Value make_macro(const MacroBody& body, Activation& activation);
  Value call_block(Value block, const Args& args);
  Value find_block(Value name);

  void write(std::string_view text);
  void write(Value value);
  // Writes a + b + c, texts as they are, without joining them first.
  void write_sum(const Binary& sum, Activation& activation);
  size_t root_characters();

  const Tree& tree_;
  Runtime& runtime_;
  std::vector<Value> context_;
  std::string root_;
  std::string* out_ = &root_;
  std::deque<std::string> captured_;  // the texts of blocks and macros being run, innermost last
  int line_ = 1;
  int calls_ = 0;  // macros and recursive loops inside one another
  std::vector<std::pair<size_t, size_t>> spans_;
  size_t counted_bytes_ = 0, counted_characters_ = 0;  // of root_, for spans
};

inline bool is_addition(const Expr& expr) {
  return expr.kind == ExprKind::kArithmetic && static_cast<const Binary&>(expr).operation == Arithmetic::kAdd;
}

// The parts of a + b + c, from the left. Of more than kMost the first is the sum of those further left.
struct Interpreter::Sum {
  static constexpr size_t kMost = 24;
  std::array<Value, kMost> parts;
  std::array<int, kMost> lines;  // of each part's +
  size_t count = 0;
  bool all_text = true;  // plain strings, which a sum only joins

  std::span<const Value> values() const { return {parts.data(), count}; }
};

// repr(macro) and the attributes of macros.
std::string describe_macro(Value macro);
std::span<const Attribute> macro_attributes();

}  // namespace hearth::text::jinja
