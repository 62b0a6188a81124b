// The compiler hands each operator's subtree to the optimizer, which goes from the leaves up and replaces what it can
// compute by a value that Python can write out (no generators, nothing undefined). Literals that no operator holds, and
// whatever is printed, are computed as a whole or left alone. Values live in a Runtime with limits of its own;
// what exceeds them counts as not constant.
#include "text/jinja/constants.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <unordered_map>

#include "text/jinja/filters.h"
#include "text/jinja/operations.h"
#include "text/jinja/runtime.h"
#include "text/template_error.h"

namespace hearth::text::jinja {

namespace {

// What visit_List, visit_Tuple and the like compile as it stands.
bool is_plain(ExprKind kind) {
  switch (kind) {
    case ExprKind::kConst:
    case ExprKind::kName:
    case ExprKind::kNamespaceRef:
    case ExprKind::kTuple:
    case ExprKind::kList:
    case ExprKind::kDict: return true;
    default: return false;
  }
}

bool takes_context(std::string_view filter) {
  constexpr std::array<std::string_view, 6> kNames = {"map", "random", "reject", "rejectattr", "select", "selectattr"};
  return std::find(kNames.begin(), kNames.end(), filter) != kNames.end();
}

// Far beyond any template's constants; 2 MB of hostile ones take a tenth of a second. A failure costs microseconds.
constexpr size_t kSteps = 100'000, kBytes = 1 << 20, kFailures = 1'000;

TemplateLimits small(TemplateLimits limits) {
  limits.steps = std::min(limits.steps, kSteps);
  limits.bytes = std::min(limits.bytes, kBytes);
  return limits;
}

class Folder {
 public:
  explicit Folder(const TemplateLimits& limits) : runtime_(small(limits)) {}

  void visit(const Stmt& statement) {
    for_each_child(
        statement, [&](const Expr* e) { statement.kind == StmtKind::kOutput ? fold_printed(*e) : fold(*e); },
        [&](const Stmt* s) { visit(*s); });
  }

  std::unordered_set<const Expr*> take() { return std::move(folded_); }

 private:
  using Constant = std::optional<Value>;

  // An error in what is printed is left to the rendering.
  void fold_printed(const Expr& expr) {
    try {
      if (as_constant(expr)) {
        folded_.insert(&expr);
        return;
      }
    } catch (const TemplateError&) {
    }
    fold(expr);
  }

  void fold(const Expr& expr) {
    if (!is_plain(expr.kind)) return optimize(expr);
    for_each_child(expr, [&](const Expr* child) { fold(*child); });
  }

  void optimize(const Expr& expr) {
    for_each_child(expr, [&](const Expr* child) { optimize(*child); });
    const Constant value = as_constant(expr);
    if (!value || !is_writable(*value)) return;
    folded_.insert(&expr);
    values_.emplace(&expr, *value);
  }

  bool is_writable(Value value) {
    try {
      return can_be_written(value);
    } catch (const Failure&) {  // too large: lists may hold one another thousands of times
      ++failures_;
      return false;
    }
  }

  bool can_be_written(Value value) {
    runtime_.step();
    const auto all = [this](std::span<const Value> items) {
      return std::all_of(items.begin(), items.end(), [this](Value item) { return can_be_written(item); });
    };
    switch (value.kind()) {
      case Kind::kNone:
      case Kind::kBool:
      case Kind::kInt:
      case Kind::kFloat:
      case Kind::kString:
      case Kind::kRange: return true;
      case Kind::kList:
      case Kind::kTuple: return !value.list_data()->is_group && all(value.list_data()->items(runtime_));
      case Kind::kDict: {
        const auto entries = value.dict_data()->entries(runtime_);
        return std::all_of(entries.begin(), entries.end(), [this](const Entry& entry) {
          return can_be_written(entry.key) && can_be_written(entry.value);
        });
      }
      default: return false;
    }
  }

  // The value, or nothing where it depends on a variable or computing it fails. Throws TemplateError for a dict with a
  // key that has no hash.
  Constant as_constant(const Expr& expr) {
    if (const auto known = values_.find(&expr); known != values_.end()) return known->second;
    if (failures_ > kFailures || impossible_.contains(&expr)) return std::nullopt;
    Constant value;
    try {
      value = compute(expr);
    } catch (const Failure&) {
      ++failures_;
    }
    if (!value) impossible_.insert(&expr);
    return value;
  }

  Constant compute(const Expr& expr) {
    runtime_.step();
    switch (expr.kind) {
      case ExprKind::kConst: return static_cast<const Const&>(expr).value;
      case ExprKind::kTuple:
      case ExprKind::kList: return compute_items(static_cast<const Items&>(expr));
      case ExprKind::kDict: return compute_dict(static_cast<const DictLiteral&>(expr));
      case ExprKind::kArithmetic: return compute_arithmetic(static_cast<const Binary&>(expr));
      case ExprKind::kAnd:
      case ExprKind::kOr: {
        const auto& both = static_cast<const Binary&>(expr);
        const Constant left = as_constant(*both.left);
        if (!left || truthy(runtime_, *left) == (expr.kind == ExprKind::kOr)) return left;
        return as_constant(*both.right);
      }
      case ExprKind::kNot:
      case ExprKind::kNegate:
      case ExprKind::kPosate: return compute_unary(static_cast<const Unary&>(expr));
      case ExprKind::kConcat: return compute_concat(static_cast<const Concat&>(expr));
      case ExprKind::kCompare: return compute_compare(static_cast<const Compare&>(expr));
      case ExprKind::kGetattr: {
        const auto& access = static_cast<const Getattr&>(expr);
        const Constant object = as_constant(*access.object);
        return object ? get_attribute(runtime_, *object, access.name) : Constant();
      }
      case ExprKind::kGetitem: {
        const auto& access = static_cast<const Getitem&>(expr);
        const Constant object = as_constant(*access.object);
        const Constant key = object ? as_constant(*access.key) : Constant();
        return key ? get_item(runtime_, *object, *key) : Constant();
      }
      case ExprKind::kSlice: return compute_slice(static_cast<const Slice&>(expr));
      case ExprKind::kFilter: return compute_filter(static_cast<const Filter&>(expr));
      case ExprKind::kTest: return compute_test(static_cast<const Test&>(expr));
      case ExprKind::kCondition: {
        const auto& condition = static_cast<const Condition&>(expr);
        const Constant test = as_constant(*condition.test);
        if (!test) return std::nullopt;
        if (truthy(runtime_, *test)) return as_constant(*condition.then);
        return condition.otherwise ? as_constant(*condition.otherwise) : Constant();
      }
      case ExprKind::kName:
      case ExprKind::kCall:
      case ExprKind::kNamespaceRef: return std::nullopt;
    }
    return std::nullopt;
  }

  // All values of a list of expressions, or false.
  bool compute_all(const std::vector<ExprPtr>& exprs, std::vector<Value>& values) {
    for (const auto& expr : exprs) {
      const Constant value = as_constant(*expr);
      if (!value) return false;
      values.push_back(*value);
    }
    return true;
  }

  Constant compute_items(const Items& items) {
    std::vector<Value> values;
    if (!compute_all(items.items, values)) return std::nullopt;
    return items.kind == ExprKind::kList ? runtime_.list(values) : runtime_.tuple(values);
  }

  Constant compute_dict(const DictLiteral& literal) {
    const Value dict = runtime_.dict();
    for (const auto& [key_expr, value_expr] : literal.items) {
      const Constant key = as_constant(*key_expr);
      const Constant value = key ? as_constant(*value_expr) : Constant();
      if (!value) return std::nullopt;
      try {
        hash_value(runtime_, *key);
      } catch (const Failure& failure) {
        throw TemplateError(literal.line, failure.what());
      }
      dict.dict_data()->set(runtime_, *key, *value);
    }
    return dict;
  }

  Constant compute_arithmetic(const Binary& binary) {
    const Constant left = as_constant(*binary.left);
    const Constant right = left ? as_constant(*binary.right) : Constant();
    return right ? arithmetic(runtime_, binary.operation, *left, *right) : Constant();
  }

  Constant compute_unary(const Unary& unary) {
    const Constant operand = as_constant(*unary.operand);
    if (!operand) return std::nullopt;
    if (unary.kind == ExprKind::kNot) return Value::boolean(!truthy(runtime_, *operand));
    return unary.kind == ExprKind::kNegate ? negate(runtime_, *operand) : posate(runtime_, *operand);
  }

  Constant compute_concat(const Concat& concat) {
    std::string text;
    for (const auto& item : concat.items) {
      const Constant value = as_constant(*item);
      if (!value) return std::nullopt;
      append_str(runtime_, text, *value);
      if (text.size() > runtime_.limits().bytes) fail("~: the result is too long");
    }
    return runtime_.string(text);
  }

  Constant compute_compare(const Compare& comparison) {
    Constant left = as_constant(*comparison.first);
    if (!left) return std::nullopt;
    for (const auto& [operation, operand] : comparison.rest) {
      const Constant right = as_constant(*operand);
      if (!right) return std::nullopt;
      if (!holds(runtime_, operation, *left, *right)) return Value::boolean(false);
      left = right;
    }
    return Value::boolean(true);
  }

  Constant compute_slice(const Slice& slice) {
    std::array<Value, 3> parts;
    const std::array<const Expr*, 3> exprs = {slice.start.get(), slice.stop.get(), slice.step.get()};
    const Constant object = slice.object ? as_constant(*slice.object) : Value();
    if (!object) return std::nullopt;
    for (size_t i = 0; i < parts.size(); ++i) {
      const Constant part = exprs[i] != nullptr ? as_constant(*exprs[i]) : Value();
      if (!part) return std::nullopt;
      parts[i] = *part;
    }
    // Alone, among other subscripts, it is a value that no object understands.
    if (!slice.object) return runtime_.undefined("a slice");
    return get_slice(runtime_, *object, parts[0], parts[1], parts[2]);
  }

  struct Call {
    std::vector<Value> positional;
    std::vector<Keyword> keywords;
    Args args() const { return {positional, keywords}; }
  };

  bool compute_arguments(const Arguments& arguments, Call& call) {
    if (!compute_all(arguments.positional, call.positional)) return false;
    const auto add = [&](std::string_view name, Value value) {  // the last of a name holds
      const auto same = std::find_if(call.keywords.begin(), call.keywords.end(),
                                     [&](const Keyword& other) { return other.name == name; });
      if (same != call.keywords.end()) {
        same->value = value;
      } else {
        call.keywords.push_back({name, value});
      }
    };
    for (const auto& [name, expr] : arguments.keywords) {
      const Constant value = as_constant(*expr);
      if (!value) return false;
      call.keywords.push_back({name.view(), *value});  // the parser lets no name stand twice
    }
    if (arguments.more_positional) {
      const Constant more = as_constant(*arguments.more_positional);
      if (!more) return false;
      for (const Value item : collect(runtime_, *more)) call.positional.push_back(item);
    }
    if (arguments.more_keywords) {
      const Constant more = as_constant(*arguments.more_keywords);
      if (!more || !more->is(Kind::kDict)) return false;
      for (const Entry& entry : more->dict_data()->entries(runtime_)) {
        if (!entry.key.is_string()) return false;
        runtime_.step(call.keywords.size());
        add(entry.key.view(), entry.value);
      }
    }
    return true;
  }

  Constant compute_filter(const Filter& filter) {
    const FilterEntry* entry = find_filter(filter.name.view());
    Call call;
    if (!filter.operand || entry == nullptr || takes_context(filter.name.view()) ||
        !compute_arguments(filter.arguments, call))
      return std::nullopt;
    const Constant input = as_constant(*filter.operand);
    return input ? entry->apply(runtime_, *input, call.args()) : Constant();
  }

  Constant compute_test(const Test& test) {
    const TestEntry* entry = find_test(test.name.view());
    Call call;
    if (entry == nullptr || !compute_arguments(test.arguments, call)) return std::nullopt;
    const Constant input = as_constant(*test.operand);
    return input ? Value::boolean(entry->holds(runtime_, *input, call.args())) : Constant();
  }

  Runtime runtime_;
  size_t failures_ = 0;
  std::unordered_set<const Expr*> folded_, impossible_;
  std::unordered_map<const Expr*, Value> values_;
};

}  // namespace

std::unordered_set<const Expr*> fold_constants(const Tree& tree, const TemplateLimits& limits) {
  Folder folder(limits);
  for (const auto& statement : tree.body) folder.visit(*statement);
  return folder.take();
}

}  // namespace hearth::text::jinja
