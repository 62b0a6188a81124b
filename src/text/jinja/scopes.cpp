// jinja2 compiles a template to Python functions whose variables are named by frame level, l_1_x; a frame that assigns
// a name gets a variable of its own, filled from outside on entry and emptied on exit. This pass repeats that analysis
// (idtracking.py and compiler.py), because it is observable: what a loop's assignment does to the name outside, what a
// macro sees of its surroundings. A variable becomes a slot of the function it lives in.
#include "text/jinja/scopes.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "text/jinja/filters.h"
#include "text/template_error.h"

namespace hearth::text::jinja {

namespace {

// How a frame's variable gets its value on entry.
struct Load {
  enum What : uint8_t { kParameter, kResolve, kAlias, kUndefined };
  What what = kUndefined;
  int alias_level = 0;
  bool stored = false;  // the frame assigns it
};

// The variables of one frame, by name; those of outer frames through `parent`.
struct Symbols {
  int level = 0;
  const Symbols* parent = nullptr;
  std::map<std::string_view, Load> loads;

  // The level of the variable that `name` means here, or -1.
  int find(std::string_view name) const {
    for (const Symbols* symbols = this; symbols != nullptr; symbols = symbols->parent)
      if (symbols->loads.contains(name)) return symbols->level;
    return -1;
  }
  int find_outside(std::string_view name) const { return parent == nullptr ? -1 : parent->find(name); }

  void load(std::string_view name) {
    if (find(name) < 0) loads[name] = {Load::kResolve};
  }
  void store(std::string_view name) {
    const auto [entry, fresh] = loads.try_emplace(name);
    entry->second.stored = true;
    if (!fresh) return;
    const int outside = find_outside(name);
    entry->second.what = outside < 0 ? Load::kUndefined : Load::kAlias;
    entry->second.alias_level = outside;
  }
  void declare_parameter(std::string_view name) { loads[name] = {Load::kParameter, 0, true}; }
};

// Collects what one frame reads and assigns; does not look into frames of their own.
class SymbolVisitor {
 public:
  SymbolVisitor(Symbols& symbols, size_t& copied) : symbols_(&symbols), copied_(copied) {}

  void visit(const Expr* expr, bool as_parameter = false) {
    if (expr->kind == ExprKind::kName) {
      const auto& name = static_cast<const Name&>(*expr);
      if (as_parameter || name.use == Use::kParameter) {
        symbols_->declare_parameter(name.name.view());
      } else if (name.use == Use::kStore) {
        symbols_->store(name.name.view());
      } else {
        symbols_->load(name.name.view());
      }
    } else if (expr->kind == ExprKind::kNamespaceRef) {
      symbols_->load(static_cast<const NamespaceRef&>(*expr).name.view());
    } else {
      for_each_child(*expr, [&](const Expr* child) { visit(child, as_parameter); });
    }
  }

  void visit(const Body& body) {
    for (const auto& statement : body) visit(statement.get());
  }

  void visit(const Stmt* statement) {
    switch (statement->kind) {
      case StmtKind::kIf: visit_if(static_cast<const If&>(*statement)); break;
      case StmtKind::kFor: visit(static_cast<const For&>(*statement).iterable.get()); break;
      case StmtKind::kMacro: symbols_->store(static_cast<const Macro&>(*statement).macro.name.view()); break;
      case StmtKind::kCallBlock:
        if (const auto& call = static_cast<const CallBlock&>(*statement).call) visit(call.get());
        break;
      case StmtKind::kFilterBlock: visit(static_cast<const FilterBlock&>(*statement).filter.get()); break;
      case StmtKind::kWith:
        for (const auto& value : static_cast<const With&>(*statement).values) visit(value.get());
        break;
      case StmtKind::kSet:
        visit(static_cast<const Set&>(*statement).value.get());
        visit(static_cast<const Set&>(*statement).target.get());
        break;
      case StmtKind::kSetBlock: visit(static_cast<const SetBlock&>(*statement).target.get()); break;
      case StmtKind::kLoad: {
        const auto& load = static_cast<const jinja::Load&>(*statement);
        visit(load.source.get());
        for (const Value name : load.names) symbols_->store(name.view());
        break;
      }
      case StmtKind::kOutput:
        for (const auto& item : static_cast<const Output&>(*statement).items) visit(item.get());
        break;
      case StmtKind::kScope:
      case StmtKind::kBlock:
      case StmtKind::kBreak:
      case StmtKind::kContinue: break;
    }
  }

 private:
  template <typename Visit>
  Symbols branch(Visit&& visit_branch) {
    Symbols copy = *symbols_;
    copied_ += copy.loads.size();
    if (copied_ > 1'000'000) throw TemplateError(1, "the template has too many variables and conditions");
    Symbols* const original = symbols_;
    symbols_ = &copy;
    visit_branch();
    symbols_ = original;
    return copy;
  }

  void visit_if(const If& statement) {
    const auto& branches = statement.branches;
    visit(branches[0].first.get());
    const Symbols body = branch([&] { visit(branches[0].second); });
    const Symbols elifs = branch([&] {
      for (size_t i = 1; i < branches.size(); ++i) {
        visit(branches[i].first.get());
        merge({branch([&] { visit(branches[i].second); })});
      }
    });
    const Symbols otherwise = branch([&] { visit(statement.otherwise); });
    merge({body, elifs, otherwise});
  }

  // A name that only some branches assign keeps, in the others, what it had outside.
  void merge(const std::vector<Symbols>& branches) {
    std::set<std::string_view> stored;
    for (const Symbols& one : branches) {
      copied_ += one.loads.size();
      for (const auto& [name, load] : one.loads) {
        const auto before = symbols_->loads.find(name);
        if (load.stored && (before == symbols_->loads.end() || !before->second.stored)) stored.insert(name);
      }
    }
    for (const Symbols& one : branches) {
      for (const auto& [name, load] : one.loads) {
        Load& merged = symbols_->loads[name];
        const bool was_stored = merged.stored;
        merged = load;
        merged.stored |= was_stored;
      }
    }
    for (const std::string_view name : stored) {
      const int outside = symbols_->find_outside(name);
      Load& merged = symbols_->loads[name];
      merged.what = outside < 0 ? Load::kResolve : Load::kAlias;
      merged.alias_level = outside;
    }
  }

  Symbols* symbols_;
  size_t& copied_;
};

// Which of `names` are read before anything in `body` assigns them.
class UndeclaredFinder {
 public:
  explicit UndeclaredFinder(std::set<std::string_view> names) : names_(std::move(names)) {}

  std::set<std::string_view> find(const Body& body) {
    for (const auto& statement : body) visit(statement.get());
    return found_;
  }

 private:
  void visit(const Expr* expr) {
    if (expr->kind == ExprKind::kName) {
      const auto& name = static_cast<const Name&>(*expr);
      if (name.use == Use::kLoad && names_.contains(name.name.view())) {
        found_.insert(name.name.view());
      } else {
        names_.erase(name.name.view());
      }
      return;
    }
    for_each_child(*expr, [&](const Expr* child) { visit(child); });
  }
  void visit(const Stmt* statement) {
    if (statement->kind == StmtKind::kBlock) return;
    for_each_child(
        *statement, [&](const Expr* e) { visit(e); }, [&](const Stmt* s) { visit(s); });
  }

  std::set<std::string_view> names_, found_;
};

std::set<std::string_view> find_undeclared(const Body& body, std::set<std::string_view> names) {
  return UndeclaredFinder(std::move(names)).find(body);
}

bool assigns_loop(const Expr* expr) {
  if (expr->kind == ExprKind::kName) {
    const auto& name = static_cast<const Name&>(*expr);
    return name.use == Use::kStore && name.name.view() == "loop";
  }
  bool found = false;
  for_each_child(*expr, [&](const Expr* child) { found |= assigns_loop(child); });
  return found;
}

bool assigns_loop(const Stmt* statement) {
  bool found = false;
  for_each_child(
      *statement, [&](const Expr* e) { found |= assigns_loop(e); }, [&](const Stmt* s) { found |= assigns_loop(s); });
  return found;
}

bool has_bare_slice(const Expr& key) {
  if (key.kind != ExprKind::kTuple) return false;
  const auto& items = static_cast<const Items&>(key).items;
  return std::any_of(items.begin(), items.end(), [](const ExprPtr& item) {
    return item->kind == ExprKind::kSlice && !static_cast<const Slice&>(*item).object;
  });
}

bool has_scoped_block(const Stmt* statement) {
  if (statement->kind == StmtKind::kBlock && static_cast<const Block&>(*statement).scoped) return true;
  bool found = false;
  for_each_child(
      *statement, [](const Expr*) {}, [&](const Stmt* s) { found |= has_scoped_block(s); });
  return found;
}

ExprPtr clone_target(const Expr& target) {
  if (target.kind == ExprKind::kName) {
    auto name = std::make_unique<Name>(target.line, static_cast<const Name&>(target).name);
    name->use = Use::kStore;
    return name;
  }
  auto tuple = std::make_unique<Items>(ExprKind::kTuple, target.line);
  for (const auto& item : static_cast<const Items&>(target).items) tuple->items.push_back(clone_target(*item));
  return tuple;
}

struct Frame {
  std::shared_ptr<Symbols> symbols = std::make_shared<Symbols>();
  FunctionScope* function = nullptr;
  bool toplevel = false;  // assignments are visible to blocks
  bool soft = false;      // inside a condition: unknown filters fail only when reached
  bool in_loop = false;   // break and continue are allowed
  bool folded = false;    // inside an expression that is a constant by now

  Frame inner() const {
    Frame frame;
    frame.symbols->level = symbols->level + 1;
    frame.symbols->parent = symbols.get();
    frame.function = function;
    frame.in_loop = in_loop;
    return frame;
  }
};

class ScopePass {
 public:
  ScopePass(Tree& tree, const std::unordered_set<const Expr*>& folded) : tree_(tree), folded_(folded) {}

  void run() {
    Frame root;
    root.function = &tree_.function;
    root.toplevel = true;
    if (!find_undeclared(tree_.body, {"self"}).empty()) {
      root.symbols->declare_parameter("self");
      tree_.self_slot = own_slot(root, "self");
    }
    SymbolVisitor(*root.symbols, copied_).visit(tree_.body);
    tree_.frame = loads(root);
    resolve(tree_.body, root);
    for (Block* block : tree_.blocks) resolve_block(*block);
  }

 private:
  [[noreturn]] static void error(int line, const std::string& message) { throw TemplateError(line, message); }

  // --- Slots ---

  uint16_t slot_in(FunctionScope& function, int level, std::string_view name) {
    std::string key = std::to_string(level) + "_" + std::string(name);
    auto& known = slots_[&function];
    const auto found = known.find(key);
    if (found != known.end()) return found->second;
    if (function.slots == UINT16_MAX) error(1, "the template has too many variables");
    return known[std::move(key)] = function.slots++;
  }

  Slot slot(const Frame& frame, int level, std::string_view name) {
    Slot slot;
    FunctionScope* function = frame.function;
    for (; level < function->base_level && function->outer != nullptr; function = function->outer) ++slot.up;
    slot.index = slot_in(*function, level, name);
    return slot;
  }

  Slot slot(const Frame& frame, std::string_view name, int line) {
    const int level = frame.symbols->find(name);
    if (level < 0) error(line, "'" + std::string(name) + "' cannot be used here");
    return slot(frame, level, name);
  }

  uint16_t own_slot(const Frame& frame, std::string_view name) { return slot(frame, frame.symbols->level, name).index; }

  int context_entry(std::string_view name) {
    const auto [entry, fresh] = context_.try_emplace(name, static_cast<int>(tree_.context_names.size()));
    if (fresh) tree_.context_names.push_back(tree_.literals.string(std::string(name)));
    return entry->second;
  }

  FrameLoads loads(const Frame& frame) {
    FrameLoads result;
    for (const auto& [name, load] : frame.symbols->loads) {
      SlotLoad entry{SlotLoad::kEmpty, own_slot(frame, name), -1, {}};
      result.leave.push_back(entry.slot);
      if (load.what == Load::kParameter) continue;
      if (load.what == Load::kResolve) {
        entry.what = SlotLoad::kResolve;
        entry.context = context_entry(name);
      } else if (load.what == Load::kAlias) {
        entry.what = SlotLoad::kCopy;
        entry.from = slot(frame, load.alias_level, name);
      }
      result.enter.push_back(entry);
    }
    return result;
  }

  static void begin_function(FunctionScope& function, Frame& frame) {
    function.outer = frame.function;
    function.base_level = frame.symbols->level;
    frame.function = &function;
    frame.in_loop = false;
  }

  // --- Statements ---

  void resolve(Body& body, const Frame& frame) {
    for (auto& statement : body) resolve(*statement, frame);
  }

  void resolve(Stmt& statement, const Frame& frame) {
    switch (statement.kind) {
      case StmtKind::kOutput:
        for (auto& item : static_cast<Output&>(statement).items) resolve(item.get(), frame);
        break;
      case StmtKind::kFor: resolve_for(static_cast<For&>(statement), frame); break;
      case StmtKind::kIf: resolve_if(static_cast<If&>(statement), frame); break;
      case StmtKind::kMacro: {
        auto& macro = static_cast<Macro&>(statement);
        resolve_macro(macro.macro, frame, macro.line);
        macro.slot = slot(frame, macro.macro.name.view(), macro.line);
        if (frame.toplevel) macro.context = context_entry(macro.macro.name.view());
        break;
      }
      case StmtKind::kCallBlock: {
        auto& block = static_cast<CallBlock&>(statement);
        resolve_macro(block.macro, frame, block.line);
        if (block.call) resolve(block.call.get(), frame);
        break;
      }
      case StmtKind::kFilterBlock: {
        auto& block = static_cast<FilterBlock&>(statement);
        Frame inner = frame.inner();
        SymbolVisitor visitor(*inner.symbols, copied_);
        visitor.visit(block.body);
        visitor.visit(block.filter.get());
        block.frame = loads(inner);
        resolve(block.body, inner);
        resolve(block.filter.get(), inner);
        break;
      }
      case StmtKind::kWith: resolve_with(static_cast<With&>(statement), frame); break;
      case StmtKind::kScope: {
        auto& scope = static_cast<Scope&>(statement);
        Frame inner = frame.inner();
        SymbolVisitor(*inner.symbols, copied_).visit(scope.body);
        scope.frame = loads(inner);
        resolve(scope.body, inner);
        break;
      }
      case StmtKind::kBlock: {
        auto& block = static_cast<Block&>(statement);
        if (block.scoped) collect_visible(block, frame);
        break;
      }
      case StmtKind::kLoad: {
        const auto& load = static_cast<jinja::Load&>(statement);
        if (load.tag == "extends" && !frame.toplevel) error(load.line, "cannot use extend from a non top-level scope");
        resolve(load.source.get(), frame);
        break;
      }
      case StmtKind::kSet: {
        auto& set = static_cast<Set&>(statement);
        resolve_target(set.target.get(), frame);
        resolve(set.value.get(), frame);
        break;
      }
      case StmtKind::kSetBlock: {
        auto& set = static_cast<SetBlock&>(statement);
        Frame inner = frame.inner();
        SymbolVisitor(*inner.symbols, copied_).visit(set.body);
        set.frame = loads(inner);
        resolve(set.body, inner);
        resolve_target(set.target.get(), frame);
        if (set.filter) resolve(set.filter.get(), inner);
        break;
      }
      case StmtKind::kBreak:
      case StmtKind::kContinue:
        if (!frame.in_loop)
          error(statement.line,
                statement.kind == StmtKind::kBreak ? "'break' outside loop" : "'continue' not properly in loop");
        break;
    }
  }

  void resolve_for(For& loop, const Frame& frame) {
    loop.extended = loop.recursive || !find_undeclared(loop.body, {"loop"}).empty() || has_scoped_block(&loop);
    Frame body = frame.inner();
    if (loop.extended) body.symbols->declare_parameter("loop");
    SymbolVisitor visitor(*body.symbols, copied_);
    visitor.visit(loop.target.get(), true);
    visitor.visit(loop.body);
    Frame otherwise = frame.inner();
    SymbolVisitor(*otherwise.symbols, copied_).visit(loop.otherwise);
    if (loop.test) resolve_loop_test(loop, frame);
    if (assigns_loop(&loop)) error(loop.line, "Can't assign to special loop variable in for-loop target");
    if (loop.recursive) {
      begin_function(loop.function, body);
      otherwise.function = &loop.function;
      otherwise.in_loop = false;
    }
    body.in_loop = true;
    resolve_target(loop.target.get(), body);
    resolve(loop.iterable.get(), frame);
    if (loop.extended) loop.loop_slot = own_slot(body, "loop");
    loop.frame = loads(body);
    resolve(loop.body, body);
    loop.else_frame = loads(otherwise);
    resolve(loop.otherwise, otherwise);
  }

  // The filtering of a loop's items is a generator function of its own.
  void resolve_loop_test(For& loop, const Frame& frame) {
    Frame test = frame.inner();
    SymbolVisitor visitor(*test.symbols, copied_);
    visitor.visit(loop.target.get(), true);
    visitor.visit(loop.test.get());
    begin_function(loop.test_function, test);
    loop.test_target = clone_target(*loop.target);
    resolve_target(loop.test_target.get(), test);
    loop.test_frame = loads(test);
    resolve(loop.test.get(), test);
  }

  void resolve_if(If& statement, const Frame& frame) {
    Frame soft = frame;
    soft.soft = true;
    for (auto& [test, body] : statement.branches) {
      resolve(test.get(), soft);
      resolve(body, soft);
    }
    resolve(statement.otherwise, soft);
  }

  void resolve_with(With& with, const Frame& frame) {
    Frame inner = frame.inner();
    SymbolVisitor visitor(*inner.symbols, copied_);
    for (const auto& target : with.targets) visitor.visit(target.get());
    visitor.visit(with.body);
    with.frame = loads(inner);
    for (size_t i = 0; i < with.targets.size(); ++i) {
      resolve_target(with.targets[i].get(), inner);
      resolve(with.values[i].get(), frame);
    }
    resolve(with.body, inner);
  }

  void resolve_macro(MacroBody& macro, const Frame& outer, int line) {
    Frame frame = outer.inner();
    begin_function(macro.function, frame);
    const auto analyze = [&] {
      SymbolVisitor visitor(*frame.symbols, copied_);
      for (const auto& parameter : macro.parameters) visitor.visit(parameter.get());
      for (const auto& value : macro.defaults) visitor.visit(value.get());
      visitor.visit(macro.body);
    };
    analyze();
    const auto is_parameter = [&](std::string_view name) {
      return std::any_of(macro.parameters.begin(), macro.parameters.end(),
                         [&](const auto& parameter) { return parameter->name.view() == name; });
    };
    const auto undeclared = find_undeclared(macro.body, {"caller", "kwargs", "varargs"});
    macro.explicit_caller = is_parameter("caller");
    macro.takes_caller = undeclared.contains("caller");
    if (macro.takes_caller && macro.explicit_caller) check_caller_default(macro, line);
    const auto declare = [&](std::string_view name, int& slot) {
      if (!undeclared.contains(name) || is_parameter(name)) return;
      frame.symbols->declare_parameter(name);
      slot = own_slot(frame, name);
    };
    declare("caller", macro.caller_slot);
    declare("kwargs", macro.kwargs_slot);
    declare("varargs", macro.varargs_slot);
    analyze();
    macro.frame = loads(frame);
    for (auto& parameter : macro.parameters) parameter->slot = slot(frame, parameter->name.view(), line);
    for (auto& value : macro.defaults) resolve(value.get(), frame);
    resolve(macro.body, frame);
  }

  static void check_caller_default(const MacroBody& macro, int line) {
    const size_t without_default = macro.parameters.size() - macro.defaults.size();
    for (size_t i = 0; i < without_default; ++i)
      if (macro.parameters[i]->name.view() == "caller")
        error(line,
              "When defining macros or call blocks the special \"caller\" argument must be omitted or be given a "
              "default.");
  }

  void resolve_block(Block& block) {
    Frame frame;
    frame.function = &block.function;
    for (const std::string_view name : find_undeclared(block.body, {"self", "super"})) {
      frame.symbols->declare_parameter(name);
      (name == "self" ? block.self_slot : block.super_slot) = own_slot(frame, name);
    }
    SymbolVisitor(*frame.symbols, copied_).visit(block.body);
    block.frame = loads(frame);
    resolve(block.body, frame);
  }

  void collect_visible(Block& block, const Frame& frame) {
    std::set<std::string_view> seen;
    for (const Symbols* symbols = frame.symbols.get(); symbols != nullptr; symbols = symbols->parent)
      for (const auto& [name, load] : symbols->loads)
        if (load.stored && seen.insert(name).second)
          block.visible.emplace_back(context_entry(name), slot(frame, name, block.line));
  }

  // --- Expressions ---

  void resolve_target(Expr* target, const Frame& frame) {
    if (target->kind == ExprKind::kName) {
      auto& name = static_cast<Name&>(*target);
      name.slot = slot(frame, name.name.view(), name.line);
      if (frame.toplevel) name.context = context_entry(name.name.view());
    } else if (target->kind == ExprKind::kNamespaceRef) {
      auto& ref = static_cast<NamespaceRef&>(*target);
      ref.slot = slot(frame, ref.name.view(), ref.line);
    } else {
      for (auto& item : static_cast<Items&>(*target).items) resolve_target(item.get(), frame);
    }
  }

  void resolve(Expr* expr, const Frame& frame) {
    if (!frame.folded && folded_.contains(expr)) {
      Frame constant = frame;
      constant.folded = constant.soft = true;
      return resolve(expr, constant);
    }
    switch (expr->kind) {
      case ExprKind::kName: {
        auto& name = static_cast<Name&>(*expr);
        name.slot = slot(frame, name.name.view(), name.line);
        return;
      }
      case ExprKind::kFilter: {
        auto& filter = static_cast<Filter&>(*expr);
        filter.filter = find_filter(filter.name.view());
        if (filter.filter == nullptr && !frame.soft)
          error(filter.line, "No filter named '" + std::string(filter.name.view()) + "'.");
        break;
      }
      case ExprKind::kTest: {
        auto& test = static_cast<Test&>(*expr);
        test.test = find_test(test.name.view());
        if (test.test == nullptr && !frame.soft)
          error(test.line, "No test named '" + std::string(test.name.view()) + "'.");
        break;
      }
      case ExprKind::kGetitem:
        if (has_bare_slice(*static_cast<Getitem&>(*expr).key) && !frame.folded)
          error(expr->line, "a slice cannot stand among other subscripts");
        break;
      case ExprKind::kCondition: {
        Frame soft = frame;
        soft.soft = true;
        for_each_child(*expr, [&](const Expr* child) { resolve(const_cast<Expr*>(child), soft); });
        return;
      }
      default: break;
    }
    for_each_child(*expr, [&](const Expr* child) { resolve(const_cast<Expr*>(child), frame); });
  }

  Tree& tree_;
  const std::unordered_set<const Expr*>& folded_;
  std::map<std::string_view, int> context_;
  std::map<const FunctionScope*, std::map<std::string, uint16_t>> slots_;
  size_t copied_ = 0;
};

}  // namespace

void resolve_scopes(Tree& tree, const std::unordered_set<const Expr*>& folded) { ScopePass(tree, folded).run(); }

}  // namespace hearth::text::jinja
