// Expressions. A method call on a built-in type goes straight to the method, without making the bound method that
// Python would; everything else follows the tree.
#include <algorithm>

#include "text/jinja/filters.h"
#include "text/jinja/interpreter.h"

namespace hearth::text::jinja {

Value Interpreter::eval(const Expr& expr, Activation& activation) {
  runtime_.step();
  switch (expr.kind) {
    case ExprKind::kConst: return static_cast<const Const&>(expr).value;
    case ExprKind::kName: return eval_name(static_cast<const Name&>(expr), activation);
    default: break;
  }
  const Runtime::DepthGuard guard(runtime_);
  line_ = expr.line;
  switch (expr.kind) {
    case ExprKind::kTuple:
    case ExprKind::kList: return eval_items(static_cast<const Items&>(expr), activation);
    case ExprKind::kDict: return eval_dict(static_cast<const DictLiteral&>(expr), activation);
    case ExprKind::kArithmetic: return eval_arithmetic(static_cast<const Binary&>(expr), activation);
    case ExprKind::kAnd: {
      const auto& both = static_cast<const Binary&>(expr);
      const Value left = eval(*both.left, activation);
      return truthy(runtime_, left) ? eval(*both.right, activation) : left;
    }
    case ExprKind::kOr: {
      const auto& either = static_cast<const Binary&>(expr);
      const Value left = eval(*either.left, activation);
      return truthy(runtime_, left) ? left : eval(*either.right, activation);
    }
    case ExprKind::kNot: return Value::boolean(!eval_truth(*static_cast<const Unary&>(expr).operand, activation));
    case ExprKind::kNegate: return negate(runtime_, eval(*static_cast<const Unary&>(expr).operand, activation));
    case ExprKind::kPosate: return posate(runtime_, eval(*static_cast<const Unary&>(expr).operand, activation));
    case ExprKind::kConcat: return eval_concat(static_cast<const Concat&>(expr), activation);
    case ExprKind::kCompare: return eval_compare(static_cast<const Compare&>(expr), activation);
    case ExprKind::kGetattr: {
      const auto& access = static_cast<const Getattr&>(expr);
      const Value object = eval(*access.object, activation);
      line_ = expr.line;
      if (object.is(Kind::kDict) && access.only_item) {
        const Value* found = object.dict_data()->find(runtime_, access.name.view());
        return found != nullptr ? *found : runtime_.undefined_of(object, access.name);
      }
      if (object.is(Kind::kSelf)) return find_block(access.name);
      return get_attribute(runtime_, object, access.name);
    }
    case ExprKind::kGetitem: {
      const auto& access = static_cast<const Getitem&>(expr);
      const Value object = eval(*access.object, activation);
      const Value key = eval(*access.key, activation);
      if (object.is(Kind::kSelf) && key.is_string()) return find_block(key);
      return get_item(runtime_, object, key);
    }
    case ExprKind::kSlice: return eval_slice(static_cast<const Slice&>(expr), activation);
    case ExprKind::kCall: return eval_call(static_cast<const Call&>(expr), activation);
    case ExprKind::kFilter: {
      const auto& filter = static_cast<const Filter&>(expr);
      return eval_filter(filter, eval(*filter.operand, activation), activation);
    }
    case ExprKind::kTest: return eval_test(static_cast<const Test&>(expr), activation);
    case ExprKind::kCondition: return eval_condition(static_cast<const Condition&>(expr), activation);
    default: fail("this expression has no value");
  }
}

bool Interpreter::eval_truth(const Expr& expr, Activation& activation) {
  return truthy(runtime_, eval(expr, activation));
}

Value Interpreter::eval_name(const Name& name, Activation& activation) {
  const Value value = at(name.slot, activation);
  return value.is_missing() ? runtime_.undefined_name(name.name) : value;
}

Value Interpreter::eval_items(const Items& items, Activation& activation) {
  ListData* list = runtime_.make<ListData>();
  list->values = runtime_.make_array<Value>(items.items.size());
  for (const auto& item : items.items) {
    list->values[list->count] = eval(*item, activation);
    ++list->count;
  }
  return items.kind == ExprKind::kList ? Value::list(list) : Value::tuple(list);
}

Value Interpreter::eval_dict(const DictLiteral& literal, Activation& activation) {
  const Value dict = runtime_.dict();
  for (const auto& [key, value] : literal.items) {
    const Value evaluated = eval(*key, activation);
    dict.dict_data()->set(runtime_, evaluated, eval(*value, activation));
  }
  return dict;
}

Interpreter::Sum Interpreter::eval_parts(const Binary& sum, Activation& activation) {
  Sum result;
  std::array<const Binary*, Sum::kMost - 1> additions;  // the last first
  size_t count = 0;
  const Expr* first = &sum;
  for (; count < additions.size() && is_addition(*first); first = additions[count++]->left.get())
    additions[count] = static_cast<const Binary*>(first);
  runtime_.step(count);
  const auto add = [&](const Expr& expr) {
    const Value part = result.parts[result.count++] = eval(expr, activation);
    result.all_text &= part.is_string() && !part.is_markup();
  };
  add(*first);
  for (size_t i = count; i-- > 0;) {
    result.lines[result.count] = additions[i]->line;
    add(*additions[i]->right);
  }
  return result;
}

Value Interpreter::add_up(const Sum& sum) {
  if (sum.all_text) return runtime_.join(sum.values());
  Value value = sum.parts[0];
  for (size_t i = 1; i < sum.count; ++i) {
    line_ = sum.lines[i];
    value = arithmetic(runtime_, Arithmetic::kAdd, value, sum.parts[i]);
  }
  return value;
}

Value Interpreter::eval_arithmetic(const Binary& binary, Activation& activation) {
  if (is_addition(binary) && is_addition(*binary.left)) return add_up(eval_parts(binary, activation));
  const Value left = eval(*binary.left, activation);
  const Value right = eval(*binary.right, activation);
  line_ = binary.line;
  return arithmetic(runtime_, binary.operation, left, right);
}

Value Interpreter::eval_concat(const Concat& concat, Activation& activation) {
  std::string text;
  for (const auto& item : concat.items) {
    append_str(runtime_, text, eval(*item, activation));
    if (text.size() > runtime_.limits().bytes) fail("~: the result is too long");
  }
  return runtime_.string(text);
}

Value Interpreter::eval_compare(const Compare& compare, Activation& activation) {
  Value left = eval(*compare.first, activation);
  for (const auto& [comparison, operand] : compare.rest) {
    const Value right = eval(*operand, activation);
    if (!holds(runtime_, comparison, left, right)) return Value::boolean(false);
    left = right;
  }
  return Value::boolean(true);
}

Value Interpreter::eval_slice(const Slice& slice, Activation& activation) {
  if (!slice.object) return Value::none();  // among other subscripts, which no constant understands
  const auto part = [&](const ExprPtr& expr) { return expr ? eval(*expr, activation) : Value(); };
  const Value object = eval(*slice.object, activation);
  const Value start = part(slice.start), stop = part(slice.stop);
  return get_slice(runtime_, object, start, stop, part(slice.step));
}

Value Interpreter::eval_call(const Call& call_expr, Activation& activation, Value caller) {
  const Expr& callee = *call_expr.callee;
  if (callee.kind == ExprKind::kGetattr) {
    const auto& access = static_cast<const Getattr&>(callee);
    const Value object = eval(*access.object, activation);
    line_ = call_expr.line;
    const bool built_in = !object.is(Kind::kUndefined) && !object.is(Kind::kNamespace) && !object.is(Kind::kSelf);
    if (built_in) {
      const Attribute* attribute = find_attribute(object, access.name.view());
      if (attribute != nullptr && attribute->method != nullptr) {
        const Args args = eval_arguments(call_expr.arguments, activation, caller);
        line_ = call_expr.line;
        return attribute->method(runtime_, object, args);
      }
    }
    const Value function =
        object.is(Kind::kSelf) ? find_block(access.name) : get_attribute(runtime_, object, access.name);
    const Args args = eval_arguments(call_expr.arguments, activation, caller);
    line_ = call_expr.line;
    return call(function, args);
  }
  const Value function = eval(callee, activation);
  const Args args = eval_arguments(call_expr.arguments, activation, caller);
  line_ = call_expr.line;
  return call(function, args);
}

Value Interpreter::call(Value callee, const Args& args) {
  switch (callee.kind()) {
    case Kind::kFunction: return callee.as<Function>().call(runtime_, args);
    case Kind::kMethod: {
      const BoundMethod& method = callee.as<BoundMethod>();
      return method.attribute->method(runtime_, method.self, args);
    }
    case Kind::kMacro: return call_macro(callee, args);
    case Kind::kLoop: return call_loop(callee.as<Loop>(), args);
    case Kind::kBlock: return call_block(callee, args);
    case Kind::kJoiner: {
      refuse_arguments(args, "joiner");
      Joiner& joiner = callee.as<Joiner>();
      return std::exchange(joiner.used, true) ? joiner.separator : runtime_.borrow("");
    }
    case Kind::kUndefined: fail_undefined(runtime_, callee);
    default: fail("'" + std::string(type_name(callee)) + "' object is not callable");
  }
}

Args Interpreter::eval_arguments(const Arguments& arguments, Activation& activation, Value caller) {
  const size_t known = arguments.positional.size();
  Value* values = runtime_.make_array<Value>(known);
  for (size_t i = 0; i < known; ++i) values[i] = eval(*arguments.positional[i], activation);
  std::span<const Value> positional(values, known);
  if (arguments.more_positional) {
    std::vector<Value> all(values, values + known);
    for (const Value item : collect(runtime_, eval(*arguments.more_positional, activation))) all.push_back(item);
    positional = runtime_.sequence(all)->items(runtime_);
  }
  if (arguments.keywords.empty() && !arguments.more_keywords && caller.is_missing()) return {positional, {}};

  std::vector<Keyword> keywords;
  for (const auto& [name, value] : arguments.keywords) keywords.push_back({name.view(), eval(*value, activation)});
  const auto add = [&](std::string_view name, Value value) {
    for (const Keyword& other : keywords)
      if (other.name == name) fail("got multiple values for keyword argument '" + std::string(name) + "'");
    keywords.push_back({name, value});
  };
  if (!caller.is_missing()) add("caller", caller);
  if (arguments.more_keywords) {
    const Value more = eval(*arguments.more_keywords, activation);
    if (more.is(Kind::kUndefined)) fail_undefined(runtime_, more);
    if (!more.is(Kind::kDict)) fail("argument after ** must be a mapping, not " + std::string(type_name(more)));
    for (const Entry& entry : more.dict_data()->entries(runtime_)) {
      if (!entry.key.is_string()) fail("keywords must be strings");
      runtime_.step(keywords.size());
      add(entry.key.view(), entry.value);
    }
  }
  Keyword* kept = runtime_.make_array<Keyword>(keywords.size());
  std::copy(keywords.begin(), keywords.end(), kept);
  return {positional, {kept, keywords.size()}};
}

Value Interpreter::eval_filter(const Filter& filter, Value input, Activation& activation) {
  if (filter.filter == nullptr) fail("No filter named '" + std::string(filter.name.view()) + "' found.");
  const Args args = eval_arguments(filter.arguments, activation);
  line_ = filter.line;
  return filter.filter->apply(runtime_, input, args);
}

Value Interpreter::eval_block_filter(const Expr& expr, Value input, Activation& activation) {
  const auto& filter = static_cast<const Filter&>(expr);
  if (filter.operand) input = eval_block_filter(*filter.operand, input, activation);
  return eval_filter(filter, input, activation);
}

Value Interpreter::eval_test(const Test& test, Activation& activation) {
  const Value input = eval(*test.operand, activation);
  if (test.test == nullptr) fail("No test named '" + std::string(test.name.view()) + "' found.");
  const Args args = eval_arguments(test.arguments, activation);
  line_ = test.line;
  return Value::boolean(test.test->holds(runtime_, input, args));
}

Value Interpreter::eval_condition(const Condition& condition, Activation& activation) {
  if (eval_truth(*condition.test, activation)) return eval(*condition.then, activation);
  if (condition.otherwise) return eval(*condition.otherwise, activation);
  return runtime_.undefined(runtime_
                                .string("the inline if-expression on line " + std::to_string(condition.line) +
                                        " evaluated to false and no else section was defined.")
                                .view());
}

Value Interpreter::find_block(Value name) {
  for (const Block* block : tree_.blocks)
    if (block->name.view() == name.view()) return Value::object(Kind::kBlock, const_cast<Block*>(block));
  return runtime_.undefined_of(Value::object(Kind::kSelf, nullptr), name);
}

}  // namespace hearth::text::jinja
