// A template as a tree. The parser makes it, the scope pass fills in the slots, the interpreter walks it.
//
// Lifetime: strings and constants point into the tree's own Literals, which live as long as the template.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/methods.h"
#include "text/jinja/operations.h"
#include "text/jinja/value.h"

namespace hearth::text::jinja {

// Texts that the tree refers to.
class Literals {
 public:
  Value string(std::string text) {
    texts_.push_back(std::move(text));
    data_.push_back({texts_.back().data(), texts_.back().size()});
    characters(data_.back());  // counted here, so that renderings in other threads only read
    return Value::string(&data_.back());
  }

 private:
  std::deque<std::string> texts_;
  std::deque<StringData> data_;
};

// Where a variable lives: `up` activations out, at `index`.
struct Slot {
  uint16_t up = 0;
  uint16_t index = 0;
};

// --- Expressions ---

enum class ExprKind : uint8_t {
  kConst,
  kName,
  kTuple,
  kList,
  kDict,
  kArithmetic,
  kAnd,
  kOr,
  kNot,
  kNegate,
  kPosate,
  kConcat,
  kCompare,
  kGetattr,
  kGetitem,
  kSlice,
  kCall,
  kFilter,
  kTest,
  kCondition,
  kNamespaceRef,
};

struct Expr {
  Expr(ExprKind k, int l) : kind(k), line(l) {}
  virtual ~Expr() = default;
  const ExprKind kind;
  const int line;
  int height = 1;  // of the tree below, itself included
};
using ExprPtr = std::unique_ptr<Expr>;

struct Const : Expr {
  Const(int line, Value v) : Expr(ExprKind::kConst, line), value(v) {}
  Value value;
};

enum class Use : uint8_t { kLoad, kStore, kParameter };

struct Name : Expr {
  Name(int line, Value n) : Expr(ExprKind::kName, line), name(n) {}
  Value name;
  Use use = Use::kLoad;
  Slot slot;
  int context = -1;  // a store that templates' blocks see: the context's entry
};

struct Items : Expr {  // tuple or list
  Items(ExprKind kind, int line) : Expr(kind, line) {}
  std::vector<ExprPtr> items;
};

struct DictLiteral : Expr {
  explicit DictLiteral(int line) : Expr(ExprKind::kDict, line) {}
  std::vector<std::pair<ExprPtr, ExprPtr>> items;
};

struct Binary : Expr {  // arithmetic, and, or
  Binary(ExprKind kind, int line, Arithmetic op, ExprPtr l, ExprPtr r)
      : Expr(kind, line), operation(op), left(std::move(l)), right(std::move(r)) {}
  Arithmetic operation;
  ExprPtr left, right;
};

struct Unary : Expr {  // not, -, +
  Unary(ExprKind kind, int line, ExprPtr o) : Expr(kind, line), operand(std::move(o)) {}
  ExprPtr operand;
};

struct Concat : Expr {
  explicit Concat(int line) : Expr(ExprKind::kConcat, line) {}
  std::vector<ExprPtr> items;
};

struct Compare : Expr {
  explicit Compare(int line) : Expr(ExprKind::kCompare, line) {}
  ExprPtr first;
  std::vector<std::pair<Comparison, ExprPtr>> rest;
};

struct Getattr : Expr {
  Getattr(int line, ExprPtr o, Value n)
      : Expr(ExprKind::kGetattr, line), object(std::move(o)), name(n), only_item(is_never_dict_attribute(n.view())) {}
  ExprPtr object;
  Value name;
  const bool only_item;  // of a dict: it has no such attribute
};

struct Getitem : Expr {
  Getitem(int line, ExprPtr o, ExprPtr k) : Expr(ExprKind::kGetitem, line), object(std::move(o)), key(std::move(k)) {}
  ExprPtr object, key;
};

struct Slice : Expr {  // parts may be null
  explicit Slice(int line) : Expr(ExprKind::kSlice, line) {}
  ExprPtr object, start, stop, step;
};

struct Arguments {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<Value, ExprPtr>> keywords;
  ExprPtr more_positional, more_keywords;  // *x, **x; may be null
};

struct Call : Expr {
  Call(int line, ExprPtr c) : Expr(ExprKind::kCall, line), callee(std::move(c)) {}
  ExprPtr callee;
  Arguments arguments;
};

struct FilterEntry;
struct TestEntry;

struct Filter : Expr {  // operand null: the text of the enclosing block
  Filter(int line, ExprPtr o, Value n) : Expr(ExprKind::kFilter, line), operand(std::move(o)), name(n) {}
  ExprPtr operand;
  Value name;
  Arguments arguments;
  const FilterEntry* filter = nullptr;  // null: unknown, an error when reached
};

struct Test : Expr {
  Test(int line, ExprPtr o, Value n) : Expr(ExprKind::kTest, line), operand(std::move(o)), name(n) {}
  ExprPtr operand;
  Value name;
  Arguments arguments;
  const TestEntry* test = nullptr;
};

struct Condition : Expr {  // otherwise may be null
  explicit Condition(int line) : Expr(ExprKind::kCondition, line) {}
  ExprPtr test, then, otherwise;
};

struct NamespaceRef : Expr {  // a target: name.attribute
  NamespaceRef(int line, Value n, Value a) : Expr(ExprKind::kNamespaceRef, line), name(n), attribute(a) {}
  Value name, attribute;
  Slot slot;
};

// --- Statements ---

enum class StmtKind : uint8_t {
  kOutput,
  kFor,
  kIf,
  kMacro,
  kCallBlock,
  kFilterBlock,
  kWith,
  kBlock,
  kLoad,
  kSet,
  kSetBlock,
  kBreak,
  kContinue,
  kScope,
};

// What happens on entering a frame: variables looked up, copied, or emptied; and on leaving it: emptied.
struct SlotLoad {
  enum What : uint8_t { kResolve, kCopy, kEmpty };
  What what;
  uint16_t slot;
  int context = -1;  // kResolve: the context's entry
  Slot from;         // kCopy
};
struct FrameLoads {
  std::vector<SlotLoad> enter;
  std::vector<uint16_t> leave;
};

struct Stmt {
  Stmt(StmtKind k, int l) : kind(k), line(l) {}
  virtual ~Stmt() = default;
  const StmtKind kind;
  const int line;
};
using StmtPtr = std::unique_ptr<Stmt>;
using Body = std::vector<StmtPtr>;

struct Output : Stmt {
  explicit Output(int line) : Stmt(StmtKind::kOutput, line) {}
  std::vector<ExprPtr> items;
};

// A function of its own: the root, a macro, a call block, a recursive loop, a block.
struct FunctionScope {
  FunctionScope* outer = nullptr;
  int base_level = 0;
  uint16_t slots = 0;
  std::vector<std::string> names;  // of the slots, while the scope pass runs
};

struct For : Stmt {
  explicit For(int line) : Stmt(StmtKind::kFor, line) {}
  ExprPtr target, iterable, test;  // test may be null
  Body body, otherwise;
  bool recursive = false, extended = false;
  FrameLoads frame, else_frame, test_frame;
  uint16_t loop_slot = 0;
  FunctionScope function;       // when recursive
  ExprPtr test_target;          // the target as the test's function sees it
  FunctionScope test_function;  // when there is a test
};

struct If : Stmt {
  explicit If(int line) : Stmt(StmtKind::kIf, line) {}
  std::vector<std::pair<ExprPtr, Body>> branches;
  Body otherwise;
};

struct MacroBody {
  std::vector<std::unique_ptr<Name>> parameters;
  std::vector<ExprPtr> defaults;  // of the last parameters
  Body body;
  FunctionScope function;
  FrameLoads frame;
  int caller_slot = -1, kwargs_slot = -1, varargs_slot = -1;
  bool explicit_caller = false;
  bool takes_caller = false;
  Value name;  // missing: a call block's
};

struct Macro : Stmt {
  explicit Macro(int line) : Stmt(StmtKind::kMacro, line) {}
  MacroBody macro;
  Slot slot;
  int context = -1;
};

struct CallBlock : Stmt {  // call null: {% generation %}
  explicit CallBlock(int line) : Stmt(StmtKind::kCallBlock, line) {}
  ExprPtr call;
  MacroBody macro;
};

struct FilterBlock : Stmt {
  explicit FilterBlock(int line) : Stmt(StmtKind::kFilterBlock, line) {}
  ExprPtr filter;
  Body body;
  FrameLoads frame;
};

struct With : Stmt {
  explicit With(int line) : Stmt(StmtKind::kWith, line) {}
  std::vector<ExprPtr> targets, values;
  Body body;
  FrameLoads frame;
};

struct Scope : Stmt {  // {% autoescape false %}
  explicit Scope(int line) : Stmt(StmtKind::kScope, line) {}
  Body body;
  FrameLoads frame;
};

struct Block : Stmt {
  explicit Block(int line) : Stmt(StmtKind::kBlock, line) {}
  Value name;
  bool scoped = false, required = false;
  Body body;
  FunctionScope function;
  FrameLoads frame;
  int self_slot = -1, super_slot = -1;
  // What a scoped block sees of the place it stands in: context entries and the variables to put there.
  std::vector<std::pair<int, Slot>> visible;
};

// extends, include, import: there is no other template to load.
struct Load : Stmt {
  Load(int line, std::string t) : Stmt(StmtKind::kLoad, line), tag(std::move(t)) {}
  std::string tag;
  ExprPtr source;
  std::vector<Value> names;  // that the tag would define
};

struct Set : Stmt {
  explicit Set(int line) : Stmt(StmtKind::kSet, line) {}
  ExprPtr target, value;
};

struct SetBlock : Stmt {  // filter may be null
  explicit SetBlock(int line) : Stmt(StmtKind::kSetBlock, line) {}
  ExprPtr target, filter;
  Body body;
  FrameLoads frame;
};

struct LoopControl : Stmt {
  LoopControl(StmtKind kind, int line) : Stmt(kind, line) {}
};

struct Tree {
  Literals literals;
  Body body;
  FunctionScope function;
  FrameLoads frame;
  int self_slot = -1;
  std::vector<Block*> blocks;
  std::vector<Value> context_names;  // every name the template looks up outside itself, by entry
};

// Calls visit(child) for every expression and statement directly below, in jinja2's order of fields.
template <typename VisitExpr, typename VisitStmt>
void for_each_child(const Stmt& stmt, VisitExpr&& expr, VisitStmt&& statement);
template <typename VisitExpr>
void for_each_child(const Expr& parent, VisitExpr&& visit);

}  // namespace hearth::text::jinja

#include "text/jinja/ast_inl.h"
