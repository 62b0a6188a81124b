// Statements. A body runs in an activation, the slots of one function; loops and macros enter and leave frames as the
// scope pass laid them out. Text goes to the current buffer: the template's own, or that of the macro or block being
// run.
#include "text/jinja/interpreter.h"

#include <algorithm>
#include <array>
#include <exception>
#include <nlohmann/json.hpp>

#include "base/unicode.h"
#include "text/jinja/filters.h"
#include "text/template_error.h"

namespace hearth::text::jinja {

// Sends output to a buffer of its own for a while.
class Interpreter::Capture {
 public:
  explicit Capture(Interpreter& interpreter) : interpreter_(interpreter), outer_(interpreter.out_) {
    interpreter.out_ = &interpreter.captured_.emplace_back();
  }
  ~Capture() {
    interpreter_.out_ = outer_;
    interpreter_.captured_.pop_back();
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  Value text() const { return interpreter_.runtime_.string(interpreter_.captured_.back()); }

 private:
  Interpreter& interpreter_;
  std::string* const outer_;
};

// Counts macros and recursive loops inside one another; restores the line when the call is over.
class Interpreter::CallDepth {
 public:
  explicit CallDepth(Interpreter& interpreter) : interpreter_(interpreter), line_(interpreter.line_) {
    if (++interpreter_.calls_ > interpreter_.runtime_.limits().recursion) {
      --interpreter_.calls_;
      fail("macros call each other more than " + std::to_string(interpreter_.runtime_.limits().recursion) + " deep");
    }
  }
  ~CallDepth() {
    --interpreter_.calls_;
    if (std::uncaught_exceptions() == 0) interpreter_.line_ = line_;
  }
  CallDepth(const CallDepth&) = delete;
  CallDepth& operator=(const CallDepth&) = delete;

 private:
  Interpreter& interpreter_;
  const int line_;
};

// The items of a loop that pass its `if`, found as they are asked for.
class TestIterator : public Iterator {
 public:
  TestIterator(Interpreter& interpreter, const For& loop, Activation* outside, Iterator* items)
      : interpreter_(interpreter), loop_(loop), outside_(outside), items_(items) {}

  bool next(Runtime& runtime, Value& item) override {
    if (activation_ == nullptr) {
      activation_ = interpreter_.activate(loop_.test_function, outside_);
      interpreter_.enter(loop_.test_frame, *activation_);
    }
    while (items_->next(runtime, item)) {
      interpreter_.assign(*loop_.test_target, item, *activation_);
      if (!interpreter_.eval_truth(*loop_.test, *activation_)) continue;
      item = rebuilt(*loop_.test_target);
      return true;
    }
    return false;
  }

 private:
  // The item as the target's names hold it: `for a, b in x if ...` passes on tuples, whatever x had.
  Value rebuilt(const Expr& target) {
    if (target.kind == ExprKind::kName) return interpreter_.at(static_cast<const Name&>(target).slot, *activation_);
    std::vector<Value> items;
    for (const auto& item : static_cast<const Items&>(target).items) items.push_back(rebuilt(*item));
    return interpreter_.runtime_.tuple(items);
  }

  Interpreter& interpreter_;
  const For& loop_;
  Activation* outside_;
  Iterator* items_;
  Activation* activation_ = nullptr;
};

Interpreter::Interpreter(const Tree& tree, Runtime& runtime)
    : tree_(tree), runtime_(runtime), context_(tree.context_names.size()) {
  for (size_t i = 0; i < context_.size(); ++i)
    if (const GlobalEntry* global = find_global(tree.context_names[i].view()))
      context_[i] = Value::object(Kind::kFunction, const_cast<Function*>(&global->function));
}

void Interpreter::define(std::string_view name, Value value) {
  for (size_t i = 0; i < context_.size(); ++i)
    if (tree_.context_names[i].view() == name) context_[i] = value;
}

std::string Interpreter::render() {
  try {
    Activation* root = activate(tree_.function, nullptr);
    if (tree_.self_slot >= 0) root->slots[tree_.self_slot] = Value::object(Kind::kSelf, nullptr);
    enter(tree_.frame, *root);
    run(tree_.body, *root);
  } catch (const Failure& failure) {
    throw TemplateError(line_, failure.what());
  }
  return std::move(root_);
}

void Interpreter::write(std::string_view text) {
  if (text.size() > runtime_.limits().output_bytes || out_->size() > runtime_.limits().output_bytes - text.size())
    fail("the template writes more than " + std::to_string(runtime_.limits().output_bytes) + " bytes");
  *out_ += text;
}

Activation* Interpreter::activate(const FunctionScope& function, Activation* outer) {
  return runtime_.make<Activation>(outer, runtime_.make_array<Value>(function.slots));
}

Value& Interpreter::at(Slot slot, Activation& activation) {
  Activation* here = &activation;
  for (uint16_t up = slot.up; up > 0; --up) here = here->outer;
  return here->slots[slot.index];
}

void Interpreter::enter(const FrameLoads& loads, Activation& activation) {
  for (const SlotLoad& load : loads.enter) {
    Value& slot = activation.slots[load.slot];
    switch (load.what) {
      case SlotLoad::kResolve: slot = context_[static_cast<size_t>(load.context)]; break;
      case SlotLoad::kCopy: slot = at(load.from, activation); break;
      case SlotLoad::kEmpty: slot = Value(); break;
    }
  }
}

void Interpreter::leave(const FrameLoads& loads, Activation& activation) {
  for (const uint16_t slot : loads.leave) activation.slots[slot] = Value();
}

void Interpreter::assign(const Expr& target, Value value, Activation& activation) {
  switch (target.kind) {
    case ExprKind::kName: {
      const auto& name = static_cast<const Name&>(target);
      at(name.slot, activation) = value;
      if (name.context >= 0) context_[static_cast<size_t>(name.context)] = value;
      return;
    }
    case ExprKind::kNamespaceRef: {
      const auto& ref = static_cast<const NamespaceRef&>(target);
      const Value space = at(ref.slot, activation);
      if (!space.is(Kind::kNamespace)) fail("cannot assign attribute on non-namespace object");
      if (ref.attribute.view().starts_with('_'))
        fail("Chat templates cannot store underscore-prefixed attributes on a namespace, but got '" +
             std::string(ref.attribute.view()) + "'. Please rename the attribute.");
      space.as<Namespace>().attributes.set(runtime_, ref.attribute, value);
      return;
    }
    default: break;
  }
  const auto& targets = static_cast<const Items&>(target).items;
  Iterator* iterator = try_iterate(runtime_, value);
  if (iterator == nullptr) fail("cannot unpack non-iterable " + std::string(type_name(value)) + " object");
  std::vector<Value> items;
  for (Value item; items.size() <= targets.size() && iterator->next(runtime_, item);) items.push_back(item);
  if (items.size() > targets.size())
    fail("too many values to unpack (expected " + std::to_string(targets.size()) + ")");
  if (items.size() < targets.size())
    fail("not enough values to unpack (expected " + std::to_string(targets.size()) + ", got " +
         std::to_string(items.size()) + ")");
  for (size_t i = 0; i < items.size(); ++i) assign(*targets[i], items[i], activation);
}

void Interpreter::check_namespaces(const Expr& target, Activation& activation) {
  if (target.kind == ExprKind::kNamespaceRef) {
    if (!at(static_cast<const NamespaceRef&>(target).slot, activation).is(Kind::kNamespace))
      fail("cannot assign attribute on non-namespace object");
  } else if (target.kind == ExprKind::kTuple) {
    for (const auto& item : static_cast<const Items&>(target).items) check_namespaces(*item, activation);
  }
}

Interpreter::Flow Interpreter::run(const Body& body, Activation& activation) {
  for (const auto& statement : body) {
    const Flow flow = run(*statement, activation);
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run(const Stmt& statement, Activation& activation) {
  runtime_.step();
  const Runtime::DepthGuard guard(runtime_);
  line_ = statement.line;
  switch (statement.kind) {
    case StmtKind::kOutput: run_output(static_cast<const Output&>(statement), activation); break;
    case StmtKind::kFor: return run_for(static_cast<const For&>(statement), activation);
    case StmtKind::kIf: return run_if(static_cast<const If&>(statement), activation);
    case StmtKind::kMacro: run_macro_definition(static_cast<const Macro&>(statement), activation); break;
    case StmtKind::kCallBlock: run_call_block(static_cast<const CallBlock&>(statement), activation); break;
    case StmtKind::kFilterBlock: return run_filter_block(static_cast<const FilterBlock&>(statement), activation);
    case StmtKind::kWith: return run_with(static_cast<const With&>(statement), activation);
    case StmtKind::kScope: {
      const auto& scope = static_cast<const Scope&>(statement);
      enter(scope.frame, activation);
      const Flow flow = run(scope.body, activation);
      if (flow == Flow::kNext) leave(scope.frame, activation);
      return flow;
    }
    case StmtKind::kBlock: {
      const auto& block = static_cast<const Block&>(statement);
      if (block.required) fail("Required block '" + std::string(block.name.view()) + "' not found");
      run_block(block, &activation);
      break;
    }
    case StmtKind::kLoad: {
      const auto& load = static_cast<const Load&>(statement);
      eval(*load.source, activation);
      fail("{% " + load.tag + " %}: no loader for this environment specified");
    }
    case StmtKind::kSet: run_set(static_cast<const Set&>(statement), activation); break;
    case StmtKind::kSetBlock: return run_set_block(static_cast<const SetBlock&>(statement), activation);
    case StmtKind::kBreak: return Flow::kBreak;
    case StmtKind::kContinue: return Flow::kContinue;
  }
  return Flow::kNext;
}

void Interpreter::run_output(const Output& output, Activation& activation) {
  for (const auto& item : output.items) {
    if (item->kind == ExprKind::kConst) {
      const Value value = static_cast<const Const&>(*item).value;
      if (value.is_string()) {
        write(value.view());
        continue;
      }
    }
    if (is_addition(*item)) {
      write_sum(static_cast<const Binary&>(*item), activation);
    } else {
      write(eval(*item, activation));
    }
  }
}

void Interpreter::write(Value value) {
  if (value.is_string()) return write(value.view());
  if (value.is(Kind::kUndefined)) return;
  std::string text;
  append_str(runtime_, text, value);
  write(text);
}

// All parts are found before the first is written: a macro among them may count what has been written so far.
void Interpreter::write_sum(const Binary& sum, Activation& activation) {
  const Sum parts = eval_parts(sum, activation);
  if (!parts.all_text) return write(add_up(parts));
  for (const Value part : parts.values()) write(part.view());
}

Interpreter::Flow Interpreter::run_if(const If& statement, Activation& activation) {
  for (const auto& [test, body] : statement.branches)
    if (eval_truth(*test, activation)) return run(body, activation);
  return run(statement.otherwise, activation);
}

// --- Loops ---

Interpreter::Flow Interpreter::run_for(const For& loop, Activation& activation) {
  const Value iterable = eval(*loop.iterable, activation);
  if (!loop.recursive) return run_loop(loop, activation, iterable, activation, 0);
  write(run_recursive(loop, activation, iterable, 0).view());
  return Flow::kNext;
}

Value Interpreter::run_recursive(const For& loop, Activation& outside, Value iterable, size_t depth) {
  const CallDepth deeper(*this);
  Capture capture(*this);
  run_loop(loop, *activate(loop.function, &outside), iterable, outside, depth);
  return capture.text();
}

Value Interpreter::call_loop(Loop& loop, const Args& args) {
  const auto [iterable] = bind(args, "loop", {"iterable"}, 1);
  if (loop.recursion == nullptr) fail("The loop must have the 'recursive' marker to be called recursively.");
  return run_recursive(*static_cast<const For*>(loop.recursion), *static_cast<Activation*>(loop.activation), iterable,
                       loop.depth + 1);
}

// jinja2 runs a loop's `else` unless an iteration came to its end: after nothing but breaks and continues, too.
// `outside` is where the loop stands; for a recursive loop `activation` is one of its own.
Interpreter::Flow Interpreter::run_loop(const For& loop, Activation& activation, Value iterable, Activation& outside,
                                        size_t depth) {
  if (loop.test) {
    Iterator* items = iterate(runtime_, iterable);
    iterable = Value::object(Kind::kIterator, runtime_.make<TestIterator>(*this, loop, &outside, items));
  }
  const bool completed = loop.extended ? run_extended_loop(loop, activation, iterable, outside, depth)
                                       : run_plain_loop(loop, activation, iterable);
  leave(loop.frame, activation);
  if (completed || loop.otherwise.empty()) return Flow::kNext;
  enter(loop.else_frame, activation);
  const Flow flow = run(loop.otherwise, activation);
  leave(loop.else_frame, activation);
  return flow;
}

bool Interpreter::run_plain_loop(const For& loop, Activation& activation, Value iterable) {
  Iterator* iterator = iterate(runtime_, iterable);
  bool completed = false;
  for (Value item; iterator->next(runtime_, item);) {
    assign(*loop.target, item, activation);
    enter(loop.frame, activation);
    const Flow flow = run(loop.body, activation);
    if (flow == Flow::kBreak) break;
    completed |= flow == Flow::kNext;
    line_ = loop.line;
  }
  return completed;
}

bool Interpreter::run_extended_loop(const For& loop, Activation& activation, Value iterable, Activation& outside,
                                    size_t depth) {
  Loop* state = runtime_.make<Loop>();
  state->iterable = iterable;
  state->iterator = iterate(runtime_, iterable);
  state->depth = depth;
  if (loop.recursive) {
    state->recursion = &loop;
    state->activation = &outside;
  }
  bool completed = false;
  for (Value item; state->advance(runtime_, item);) {
    assign(*loop.target, item, activation);
    activation.slots[loop.loop_slot] = Value::object(Kind::kLoop, state);
    enter(loop.frame, activation);
    const Flow flow = run(loop.body, activation);
    if (flow == Flow::kBreak) break;
    completed |= flow == Flow::kNext;
    line_ = loop.line;
  }
  return completed;
}

// --- Blocks that take their own text ---

Interpreter::Flow Interpreter::run_filter_block(const FilterBlock& block, Activation& activation) {
  enter(block.frame, activation);
  Value text;
  {
    Capture capture(*this);
    const Flow flow = run(block.body, activation);
    if (flow != Flow::kNext) return flow;
    text = capture.text();
  }
  const Value filtered = eval_block_filter(*block.filter, text, activation);
  write(to_view(runtime_, filtered));
  leave(block.frame, activation);
  return Flow::kNext;
}

Interpreter::Flow Interpreter::run_set_block(const SetBlock& set, Activation& activation) {
  enter(set.frame, activation);
  Value text;
  {
    Capture capture(*this);
    const Flow flow = run(set.body, activation);
    if (flow != Flow::kNext) return flow;
    text = capture.text();
  }
  assign(*set.target, set.filter ? eval_block_filter(*set.filter, text, activation) : text, activation);
  leave(set.frame, activation);
  return Flow::kNext;
}

void Interpreter::run_set(const Set& set, Activation& activation) {
  check_namespaces(*set.target, activation);
  assign(*set.target, eval(*set.value, activation), activation);
}

Interpreter::Flow Interpreter::run_with(const With& with, Activation& activation) {
  enter(with.frame, activation);
  for (size_t i = 0; i < with.targets.size(); ++i)
    assign(*with.targets[i], eval(*with.values[i], activation), activation);
  const Flow flow = run(with.body, activation);
  if (flow == Flow::kNext) leave(with.frame, activation);
  return flow;
}

void Interpreter::run_block(const Block& block, Activation* outside) {
  const CallDepth deeper(*this);
  std::vector<std::pair<int, Value>> hidden;
  if (block.scoped && outside != nullptr) {
    for (const auto& [entry, slot] : block.visible) {
      const Value value = at(slot, *outside);
      if (value.is_missing()) continue;
      Value& seen = context_[static_cast<size_t>(entry)];
      hidden.emplace_back(entry, seen);
      seen = value;
    }
  }
  Activation* activation = activate(block.function, nullptr);
  if (block.self_slot >= 0) activation->slots[block.self_slot] = Value::object(Kind::kSelf, nullptr);
  if (block.super_slot >= 0)
    activation->slots[block.super_slot] = runtime_.undefined(
        runtime_.string("there is no parent block called '" + std::string(block.name.view()) + "'.").view());
  enter(block.frame, *activation);
  run(block.body, *activation);
  for (auto entry = hidden.rbegin(); entry != hidden.rend(); ++entry)
    context_[static_cast<size_t>(entry->first)] = entry->second;
}

Value Interpreter::call_block(Value block, const Args& args) {
  refuse_arguments(args, "block");
  Capture capture(*this);
  run_block(block.as<const Block>(), nullptr);
  return capture.text();
}

// --- Macros ---

Value Interpreter::make_macro(const MacroBody& body, Activation& activation) {
  return Value::object(Kind::kMacro, runtime_.make<MacroValue>(&body, &activation));
}

void Interpreter::run_macro_definition(const Macro& macro, Activation& activation) {
  const Value value = make_macro(macro.macro, activation);
  at(macro.slot, activation) = value;
  if (macro.context >= 0) context_[static_cast<size_t>(macro.context)] = value;
}

void Interpreter::run_call_block(const CallBlock& block, Activation& activation) {
  const Value caller = make_macro(block.macro, activation);
  if (block.call == nullptr) {
    run_generation(caller);
    return;
  }
  const Value text = eval_call(static_cast<const Call&>(*block.call), activation, caller);
  write(to_view(runtime_, text));
}

// Spans count characters of what the template itself has written: a generation block inside a macro is placed where the
// macro's text is going to be, as transformers places it.
void Interpreter::run_generation(Value body) {
  const Value text = call_macro(body, {});
  const size_t begin = root_characters();
  spans_.emplace_back(begin, begin + characters(*text.text()));
  write(text.view());
}

size_t Interpreter::root_characters() {
  counted_characters_ += count_characters(std::string_view(root_).substr(counted_bytes_));
  counted_bytes_ = root_.size();
  return counted_characters_;
}

// jinja2's Macro.__call__: positional arguments, then keywords by name; the rest to varargs and kwargs, or refused.
Value Interpreter::call_macro(Value value, const Args& args) {
  const CallDepth deeper(*this);
  const MacroValue& macro = value.as<MacroValue>();
  const MacroBody& body = *macro.body;
  const std::string name = body.name.is_missing() ? "None" : "'" + std::string(body.name.view()) + "'";
  const size_t count = body.parameters.size();
  Activation* activation = activate(body.function, macro.closure);

  std::vector<Keyword> keywords(args.keywords.begin(), args.keywords.end());
  runtime_.step(count);
  const auto take = [&](std::string_view wanted) {
    runtime_.step(keywords.size() / 4);
    for (auto keyword = keywords.begin(); keyword != keywords.end(); ++keyword) {
      if (keyword->name != wanted) continue;
      const Value found = keyword->value;
      keywords.erase(keyword);
      return found;
    }
    return Value();
  };
  bool found_caller = args.positional.size() >= count && body.explicit_caller;
  std::vector<Value> given(count);
  for (size_t i = 0; i < count; ++i) {
    const std::string_view parameter = body.parameters[i]->name.view();
    if (i < args.positional.size()) {
      given[i] = args.positional[i];
    } else {
      given[i] = take(parameter);
      found_caller |= parameter == "caller";
    }
  }
  if (body.takes_caller && !found_caller) {
    Value caller = take("caller");
    if (caller.is_missing() || caller.is(Kind::kNone)) caller = runtime_.undefined("No caller defined");
    if (body.caller_slot < 0) fail("macro " + name + " got its caller twice");
    activation->slots[body.caller_slot] = caller;
  }
  if (body.kwargs_slot >= 0) {
    const Value rest = runtime_.dict();
    for (const Keyword& keyword : keywords)
      rest.dict_data()->set(runtime_, runtime_.borrow(keyword.name), keyword.value);
    activation->slots[body.kwargs_slot] = rest;
  } else if (!keywords.empty()) {
    fail("macro " + name + " takes no keyword argument '" + std::string(keywords.front().name) + "'");
  }
  const auto extra = args.positional.subspan(std::min(count, args.positional.size()));
  if (body.varargs_slot >= 0) {
    activation->slots[body.varargs_slot] = runtime_.tuple(extra);
  } else if (!extra.empty()) {
    fail("macro " + name + " takes not more than " + std::to_string(count) + " argument(s)");
  }
  for (size_t i = 0; i < count; ++i) activation->slots[body.parameters[i]->slot.index] = given[i];

  Capture capture(*this);
  enter(body.frame, *activation);
  fill_defaults(body, *activation);
  run(body.body, *activation);
  return capture.text();
}

void Interpreter::fill_defaults(const MacroBody& body, Activation& activation) {
  const size_t required = body.parameters.size() - body.defaults.size();
  for (size_t i = 0; i < body.parameters.size(); ++i) {
    Value& slot = activation.slots[body.parameters[i]->slot.index];
    if (!slot.is_missing()) continue;
    if (i >= required) {
      slot = eval(*body.defaults[i - required], activation);
    } else {
      const std::string_view name = body.parameters[i]->name.view();
      slot = runtime_.undefined(runtime_.string("parameter '" + std::string(name) + "' was not provided").view());
    }
  }
}

std::string describe_macro(Value macro) {
  const Value name = macro.as<MacroValue>().body->name;
  return name.is_missing() ? "<Macro anonymous>" : "<Macro '" + std::string(name.view()) + "'>";
}

namespace {

Value macro_name(Runtime&, Value self) {
  const Value name = self.as<MacroValue>().body->name;
  return name.is_missing() ? Value::none() : name;
}

Value macro_arguments(Runtime& runtime, Value self) {
  std::vector<Value> names;
  for (const auto& parameter : self.as<MacroValue>().body->parameters) names.push_back(parameter->name);
  return runtime.tuple(names);
}

constexpr Attribute kMacroAttributes[] = {
    {"arguments", nullptr, macro_arguments},
    {"caller", nullptr, [](Runtime&, Value self) { return Value::boolean(self.as<MacroValue>().body->takes_caller); }},
    {"catch_kwargs", nullptr,
     [](Runtime&, Value self) { return Value::boolean(self.as<MacroValue>().body->kwargs_slot >= 0); }},
    {"catch_varargs", nullptr,
     [](Runtime&, Value self) { return Value::boolean(self.as<MacroValue>().body->varargs_slot >= 0); }},
    {"explicit_caller", nullptr,
     [](Runtime&, Value self) { return Value::boolean(self.as<MacroValue>().body->explicit_caller); }},
    {"name", nullptr, macro_name},
};

}  // namespace

std::span<const Attribute> macro_attributes() { return kMacroAttributes; }

}  // namespace hearth::text::jinja
