// Recursive descent over the tokens, one function per rule of jinja2's grammar. Depth is bounded twice: by the nesting
// of the rules, and by the height of the tree, since "a + b + c" nests no rule but leans to the left.
#include "text/jinja/parser.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <unordered_set>

#include "base/unicode.h"
#include "text/jinja/constants.h"
#include "text/jinja/lexer.h"
#include "text/jinja/scopes.h"
#include "text/template_error.h"

namespace hearth::text::jinja {

namespace {

constexpr int kTallest = 600;  // of one expression's tree

class Parser {
 public:
  Parser(std::string_view source, const TemplateLimits& limits, Tree& tree)
      : tokens_(tokenize(source)), limits_(limits), tree_(tree) {}

  void run() { tree_.body = parse_body({}); }

 private:
  using Tags = std::initializer_list<std::string_view>;

  class Nesting {
   public:
    explicit Nesting(Parser& parser) : parser_(parser) {
      if (++parser_.nesting_ > parser_.limits_.nesting) parser_.error("the template is nested too deeply");
    }
    ~Nesting() { --parser_.nesting_; }

   private:
    Parser& parser_;
  };

  // --- Tokens ---

  const Token& current() const { return tokens_[at_]; }
  const Token& look() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  bool at(TokenKind kind) const { return current().kind == kind; }
  bool at_name(std::string_view name) const { return is_name(current(), name); }
  static bool is_name(const Token& token, std::string_view name) {
    return token.kind == TokenKind::kName && token.text == name;
  }
  const Token& next() {
    const Token& token = tokens_[at_];
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool skip_if(TokenKind kind) {
    if (!at(kind)) return false;
    next();
    return true;
  }
  bool skip_if_name(std::string_view name) {
    if (!at_name(name)) return false;
    next();
    return true;
  }
  const Token& expect(TokenKind kind) {
    if (!at(kind)) fail_expected(describe(kind));
    return next();
  }
  void expect_name(std::string_view name) {
    if (!skip_if_name(name)) fail_expected(std::string(name));
  }
  [[noreturn]] void fail_expected(const std::string& what) const {
    if (at(TokenKind::kEnd)) error("unexpected end of template, expected '" + what + "'.");
    error("expected token '" + what + "', got '" + describe(current()) + "'");
  }
  [[noreturn]] void error(const std::string& message) const { throw TemplateError(current().line, message); }
  [[noreturn]] static void error(int line, const std::string& message) { throw TemplateError(line, message); }

  Value text(const std::string& string) { return tree_.literals.string(string); }

  // Sets the height from the children's.
  template <typename T>
  std::unique_ptr<T> finish(std::unique_ptr<T> node) const {
    for_each_child(*node, [&](const Expr* child) { node->height = std::max(node->height, child->height + 1); });
    if (node->height > kTallest) error("the expression is too long");
    return node;
  }

  // --- Statements ---

  // Statements up to a tag among `ends`, which stays the current token; all of the template when `ends` is empty.
  Body parse_body(Tags ends) {
    Body body;
    std::unique_ptr<Output> output;
    const auto add = [&](ExprPtr item) {
      if (!output) output = std::make_unique<Output>(item->line);
      output->items.push_back(std::move(item));
    };
    const auto flush = [&] {
      if (output) body.push_back(std::move(output));
    };
    while (!at(TokenKind::kEnd)) {
      if (at(TokenKind::kData)) {
        const Token& token = next();
        add(std::make_unique<Const>(token.line, text(token.text)));
      } else if (skip_if(TokenKind::kVariableBegin)) {
        add(parse_tuple());
        expect(TokenKind::kVariableEnd);
      } else {
        flush();
        expect(TokenKind::kBlockBegin);
        if (std::any_of(ends.begin(), ends.end(), [&](std::string_view end) { return at_name(end); })) return body;
        parse_statement(body);
        expect(TokenKind::kBlockEnd);
      }
    }
    if (ends.size() > 0) fail_end(ends);
    flush();
    return body;
  }

  [[noreturn]] void fail_end(Tags ends) const {
    std::string message = "Unexpected end of template. Jinja was looking for the following tags: ";
    bool first = true;
    for (const std::string_view end : ends) {
      message += (first ? "'" : " or '") + std::string(end) + "'";
      first = false;
    }
    error(message + ".");
  }

  Body parse_statements(Tags ends, bool drop_end) {
    skip_if(TokenKind::kColon);
    expect(TokenKind::kBlockEnd);
    Body body = parse_body(ends);
    if (drop_end) next();
    return body;
  }

  void parse_statement(Body& body) {
    const Nesting nesting(*this);
    if (!at(TokenKind::kName)) error("tag name expected");
    const Token token = current();
    const int line = token.line;
    const std::string& tag = token.text;
    if (tag == "set") return body.push_back(parse_set());
    if (tag == "for") return body.push_back(parse_for());
    if (tag == "if") return body.push_back(parse_if());
    next();
    if (tag == "macro") return body.push_back(parse_macro(line));
    if (tag == "call") return body.push_back(parse_call_block(line));
    if (tag == "generation") return body.push_back(parse_generation(line));
    if (tag == "filter") return body.push_back(parse_filter_block(line));
    if (tag == "with") return body.push_back(parse_with(line));
    if (tag == "print") return body.push_back(parse_print(line));
    if (tag == "block") return body.push_back(parse_block(line));
    if (tag == "autoescape") return body.push_back(parse_autoescape(line));
    if (tag == "break") return body.push_back(std::make_unique<LoopControl>(StmtKind::kBreak, line));
    if (tag == "continue") return body.push_back(std::make_unique<LoopControl>(StmtKind::kContinue, line));
    if (tag == "extends" || tag == "include" || tag == "import" || tag == "from")
      return body.push_back(parse_load(line, tag));
    error(line, "Encountered unknown tag '" + tag + "'.");
  }

  StmtPtr parse_set() {
    const int line = next().line;
    ExprPtr target = parse_target(true, "");
    if (skip_if(TokenKind::kAssign)) {
      auto set = std::make_unique<Set>(line);
      set->target = std::move(target);
      set->value = parse_tuple();
      return set;
    }
    auto block = std::make_unique<SetBlock>(line);
    block->target = std::move(target);
    block->filter = parse_filters(nullptr);
    block->body = parse_statements({"endset"}, true);
    return block;
  }

  StmtPtr parse_for() {
    auto loop = std::make_unique<For>(next().line);
    loop->target = parse_target(false, "in");
    expect_name("in");
    loop->iterable = parse_tuple(false, "recursive");
    if (skip_if_name("if")) loop->test = parse_expression();
    loop->recursive = skip_if_name("recursive");
    loop->body = parse_statements({"endfor", "else"}, false);
    if (next().text == "else") loop->otherwise = parse_statements({"endfor"}, true);
    return loop;
  }

  StmtPtr parse_if() {
    auto branch = std::make_unique<If>(current().line);
    do {
      next();
      ExprPtr test = parse_tuple(false);
      Body then = parse_statements({"elif", "else", "endif"}, false);
      branch->branches.emplace_back(std::move(test), std::move(then));
    } while (at_name("elif"));
    if (next().text == "else") branch->otherwise = parse_statements({"endif"}, true);
    return branch;
  }

  void parse_signature(MacroBody& macro) {
    expect(TokenKind::kLeftParen);
    std::unordered_set<std::string_view> names;
    while (!at(TokenKind::kRightParen)) {
      if (!macro.parameters.empty()) expect(TokenKind::kComma);
      auto parameter = parse_name_target();
      parameter->use = Use::kParameter;
      if (skip_if(TokenKind::kAssign)) {
        macro.defaults.push_back(parse_expression());
      } else if (!macro.defaults.empty()) {
        error("non-default argument follows default argument");
      }
      if (!names.insert(parameter->name.view()).second)
        error("duplicate argument '" + std::string(parameter->name.view()) + "' in macro definition");
      macro.parameters.push_back(std::move(parameter));
    }
    next();
  }

  StmtPtr parse_macro(int line) {
    auto macro = std::make_unique<Macro>(line);
    macro->macro.name = parse_name_target()->name;
    parse_signature(macro->macro);
    macro->macro.body = parse_statements({"endmacro"}, true);
    return macro;
  }

  StmtPtr parse_call_block(int line) {
    auto block = std::make_unique<CallBlock>(line);
    if (at(TokenKind::kLeftParen)) parse_signature(block->macro);
    block->call = parse_expression();
    if (block->call->kind != ExprKind::kCall) error(line, "expected call");
    block->macro.body = parse_statements({"endcall"}, true);
    return block;
  }

  StmtPtr parse_generation(int line) {
    auto block = std::make_unique<CallBlock>(line);
    block->macro.body = parse_statements({"endgeneration"}, true);
    return block;
  }

  StmtPtr parse_filter_block(int line) {
    auto block = std::make_unique<FilterBlock>(line);
    block->filter = parse_filters(parse_one_filter(nullptr));
    block->body = parse_statements({"endfilter"}, true);
    return block;
  }

  StmtPtr parse_with(int line) {
    auto with = std::make_unique<With>(line);
    while (!at(TokenKind::kBlockEnd)) {
      if (!with->targets.empty()) expect(TokenKind::kComma);
      with->targets.push_back(parse_target(false, ""));
      set_use(*with->targets.back(), Use::kParameter);
      expect(TokenKind::kAssign);
      with->values.push_back(parse_expression());
    }
    with->body = parse_statements({"endwith"}, true);
    return with;
  }

  StmtPtr parse_print(int line) {
    auto output = std::make_unique<Output>(line);
    while (!at(TokenKind::kBlockEnd)) {
      if (!output->items.empty()) expect(TokenKind::kComma);
      output->items.push_back(parse_expression());
    }
    return output;
  }

  StmtPtr parse_block(int line) {
    auto block = std::make_unique<Block>(line);
    block->name = text(expect(TokenKind::kName).text);
    block->scoped = skip_if_name("scoped");
    block->required = skip_if_name("required");
    block->body = parse_statements({"endblock"}, true);
    if (at(TokenKind::kName) && current().text == block->name.view()) next();
    if (block->required) check_required(*block);
    if (!block_names_.insert(block->name.view()).second)
      error(line, "block '" + std::string(block->name.view()) + "' defined twice");
    tree_.blocks.push_back(block.get());
    return block;
  }

  static void check_required(const Block& block) {
    for (const auto& statement : block.body) {
      bool blank = statement->kind == StmtKind::kOutput;
      if (blank)
        for (const auto& item : static_cast<const Output&>(*statement).items)
          blank &= item->kind == ExprKind::kConst && static_cast<const Const&>(*item).value.is_string() &&
                   all_blank(static_cast<const Const&>(*item).value.view());
      if (!blank) error(block.line, "Required blocks can only contain comments or whitespace");
    }
  }

  static bool all_blank(std::string_view text) {
    for (size_t at = 0; at < text.size();)
      if (!is_space(next_character(text, at))) return false;
    return true;
  }

  StmtPtr parse_autoescape(int line) {
    const ExprPtr value = parse_expression();
    const bool off = value->kind == ExprKind::kConst && static_cast<const Const&>(*value).value.is(Kind::kBool) &&
                     !static_cast<const Const&>(*value).value.as_bool();
    if (!off) error(line, "{% autoescape %} is supported with the constant false only");
    auto scope = std::make_unique<Scope>(line);
    scope->body = parse_statements({"endautoescape"}, true);
    return scope;
  }

  // {% extends x %}, {% include x %}, {% import x as y %}, {% from x import y as z %}.
  StmtPtr parse_load(int line, const std::string& tag) {
    auto load = std::make_unique<Load>(line, tag);
    load->source = parse_expression();
    if (tag == "include" && at_name("ignore") && is_name(look(), "missing")) {
      next();
      next();
    }
    if (tag == "import") {
      expect_name("as");
      load->names.push_back(parse_name_target()->name);
    }
    if (tag == "from") {
      expect_name("import");
      do {
        if (parse_context()) return load;
        auto name = parse_name_target();
        if (name->name.view().starts_with('_')) error("names starting with an underline can not be imported");
        if (skip_if_name("as")) name = parse_name_target();
        load->names.push_back(name->name);
      } while (!parse_context() && skip_if(TokenKind::kComma));
      return load;
    }
    if (tag != "extends") parse_context();
    return load;
  }

  bool parse_context() {
    if ((!at_name("with") && !at_name("without")) || !is_name(look(), "context")) return false;
    next();
    next();
    return true;
  }

  // --- Targets ---

  std::unique_ptr<Name> parse_name_target() {
    const Token& token = expect(TokenKind::kName);
    auto name = std::make_unique<Name>(token.line, text(token.text));
    name->use = Use::kStore;
    check_assignable(*name);
    return name;
  }

  ExprPtr parse_target(bool with_namespace, std::string_view end) {
    ExprPtr target = parse_tuple(true, end, false, true, with_namespace);
    set_use(*target, Use::kStore);
    check_assignable(*target);
    return target;
  }

  static void set_use(Expr& target, Use use) {
    if (target.kind == ExprKind::kName) static_cast<Name&>(target).use = use;
    if (target.kind == ExprKind::kTuple)
      for (const auto& item : static_cast<Items&>(target).items) set_use(*item, use);
  }

  static void check_assignable(const Expr& target) {
    if (target.kind == ExprKind::kNamespaceRef) return;
    if (target.kind == ExprKind::kTuple) {
      for (const auto& item : static_cast<const Items&>(target).items) check_assignable(*item);
      return;
    }
    if (target.kind != ExprKind::kName) error(target.line, "can't assign to this expression");
    const std::string_view name = static_cast<const Name&>(target).name.view();
    if (name == "true" || name == "false" || name == "none" || name == "True" || name == "False" || name == "None")
      error(target.line, "can't assign to '" + std::string(name) + "'");
  }

  // --- Expressions ---

  // One expression, or several with commas as a tuple. `simple`: names and literals only, as targets have.
  ExprPtr parse_tuple(bool conditions = true, std::string_view end = "", bool parenthesized = false,
                      bool simple = false, bool with_namespace = false) {
    const Nesting nesting(*this);
    int line = current().line;
    auto tuple = std::make_unique<Items>(ExprKind::kTuple, line);
    bool is_tuple = false;
    while (true) {
      if (!tuple->items.empty()) expect(TokenKind::kComma);
      if (at(TokenKind::kVariableEnd) || at(TokenKind::kBlockEnd) || at(TokenKind::kRightParen) ||
          (!end.empty() && at_name(end)))
        break;
      tuple->items.push_back(simple ? parse_primary(with_namespace) : parse_expression(conditions));
      if (!at(TokenKind::kComma)) break;
      is_tuple = true;
    }
    if (!is_tuple) {
      if (!tuple->items.empty()) return std::move(tuple->items.front());
      if (!parenthesized) error("Expected an expression, got '" + describe(current()) + "'");
    }
    return finish(std::move(tuple));
  }

  ExprPtr parse_expression(bool conditions = true) {
    const Nesting nesting(*this);
    return conditions ? parse_condition() : parse_or();
  }

  ExprPtr parse_condition() {
    ExprPtr then = parse_or();
    while (at_name("if")) {
      auto condition = std::make_unique<Condition>(next().line);
      condition->test = parse_or();
      condition->then = std::move(then);
      if (skip_if_name("else")) {
        const Nesting nesting(*this);
        condition->otherwise = parse_condition();
      }
      then = finish(std::move(condition));
    }
    return then;
  }

  ExprPtr binary(ExprKind kind, Arithmetic operation, int line, ExprPtr left, ExprPtr right) {
    return finish(std::make_unique<Binary>(kind, line, operation, std::move(left), std::move(right)));
  }

  ExprPtr parse_or() {
    ExprPtr left = parse_and();
    while (at_name("or")) {
      const int line = next().line;
      left = binary(ExprKind::kOr, Arithmetic::kAdd, line, std::move(left), parse_and());
    }
    return left;
  }

  ExprPtr parse_and() {
    ExprPtr left = parse_not();
    while (at_name("and")) {
      const int line = next().line;
      left = binary(ExprKind::kAnd, Arithmetic::kAdd, line, std::move(left), parse_not());
    }
    return left;
  }

  ExprPtr parse_not() {
    if (!at_name("not")) return parse_compare();
    const Nesting nesting(*this);
    const int line = next().line;
    return finish(std::make_unique<Unary>(ExprKind::kNot, line, parse_not()));
  }

  bool parse_comparison(Comparison& comparison) {
    switch (current().kind) {
      case TokenKind::kEqual: comparison = Comparison::kEqual; break;
      case TokenKind::kNotEqual: comparison = Comparison::kNotEqual; break;
      case TokenKind::kLess: comparison = Comparison::kLess; break;
      case TokenKind::kLessEqual: comparison = Comparison::kLessEqual; break;
      case TokenKind::kGreater: comparison = Comparison::kGreater; break;
      case TokenKind::kGreaterEqual: comparison = Comparison::kGreaterEqual; break;
      default:
        if (at_name("in")) {
          comparison = Comparison::kIn;
        } else if (at_name("not") && is_name(look(), "in")) {
          comparison = Comparison::kNotIn;
          next();
        } else {
          return false;
        }
    }
    next();
    return true;
  }

  ExprPtr parse_compare() {
    const int line = current().line;
    ExprPtr first = parse_sum();
    Comparison comparison{};
    if (!parse_comparison(comparison)) return first;
    auto compare = std::make_unique<Compare>(line);
    compare->first = std::move(first);
    do {
      compare->rest.emplace_back(comparison, parse_sum());
    } while (parse_comparison(comparison));
    return finish(std::move(compare));
  }

  ExprPtr parse_sum() {
    ExprPtr left = parse_concat();
    while (at(TokenKind::kAdd) || at(TokenKind::kSub)) {
      const Token& token = next();
      const Arithmetic operation = token.kind == TokenKind::kAdd ? Arithmetic::kAdd : Arithmetic::kSubtract;
      left = binary(ExprKind::kArithmetic, operation, token.line, std::move(left), parse_concat());
    }
    return left;
  }

  ExprPtr parse_concat() {
    const int line = current().line;
    ExprPtr first = parse_product();
    if (!at(TokenKind::kTilde)) return first;
    auto concat = std::make_unique<Concat>(line);
    concat->items.push_back(std::move(first));
    while (skip_if(TokenKind::kTilde)) concat->items.push_back(parse_product());
    return finish(std::move(concat));
  }

  ExprPtr parse_product() {
    ExprPtr left = parse_power();
    while (true) {
      Arithmetic operation{};
      switch (current().kind) {
        case TokenKind::kMul: operation = Arithmetic::kMultiply; break;
        case TokenKind::kDiv: operation = Arithmetic::kDivide; break;
        case TokenKind::kFloorDiv: operation = Arithmetic::kFloorDivide; break;
        case TokenKind::kMod: operation = Arithmetic::kModulo; break;
        default: return left;
      }
      const int line = next().line;
      left = binary(ExprKind::kArithmetic, operation, line, std::move(left), parse_power());
    }
  }

  // jinja2 reads a ** b ** c from the left into its tree, but prints it to Python as (a ** b) ** c: from the left.
  ExprPtr parse_power() {
    ExprPtr left = parse_unary();
    while (at(TokenKind::kPow)) {
      const int line = next().line;
      left = binary(ExprKind::kArithmetic, Arithmetic::kPower, line, std::move(left), parse_unary());
    }
    return left;
  }

  ExprPtr parse_unary(bool with_filters = true) {
    const Nesting nesting(*this);
    const int line = current().line;
    ExprPtr node;
    if (skip_if(TokenKind::kSub)) {
      node = finish(std::make_unique<Unary>(ExprKind::kNegate, line, parse_unary(false)));
    } else if (skip_if(TokenKind::kAdd)) {
      node = finish(std::make_unique<Unary>(ExprKind::kPosate, line, parse_unary(false)));
    } else {
      node = parse_primary(false);
    }
    node = parse_postfix(std::move(node));
    return with_filters ? parse_filters_and_tests(std::move(node)) : std::move(node);
  }

  ExprPtr parse_primary(bool with_namespace) {
    const Nesting nesting(*this);
    const Token token = current();
    switch (token.kind) {
      case TokenKind::kName: return parse_name(with_namespace);
      case TokenKind::kString: {
        std::string joined;
        while (at(TokenKind::kString)) joined += next().text;
        return std::make_unique<Const>(token.line, text(joined));
      }
      case TokenKind::kInteger: next(); return std::make_unique<Const>(token.line, Value::integer(token.integer));
      case TokenKind::kFloat: next(); return std::make_unique<Const>(token.line, Value::real(token.real));
      case TokenKind::kLeftParen: {
        next();
        ExprPtr inside = parse_tuple(true, "", true);
        expect(TokenKind::kRightParen);
        return inside;
      }
      case TokenKind::kLeftBracket: return parse_list();
      case TokenKind::kLeftBrace: return parse_dict();
      default: error("unexpected '" + describe(token) + "'");
    }
  }

  ExprPtr parse_name(bool with_namespace) {
    const Token token = next();
    const std::string& name = token.text;
    if (name == "true" || name == "True") return std::make_unique<Const>(token.line, Value::boolean(true));
    if (name == "false" || name == "False") return std::make_unique<Const>(token.line, Value::boolean(false));
    if (name == "none" || name == "None") return std::make_unique<Const>(token.line, Value::none());
    if (with_namespace && skip_if(TokenKind::kDot)) {
      const Token& attribute = expect(TokenKind::kName);
      return std::make_unique<NamespaceRef>(token.line, text(name), text(attribute.text));
    }
    return std::make_unique<Name>(token.line, text(name));
  }

  ExprPtr parse_list() {
    auto list = std::make_unique<Items>(ExprKind::kList, next().line);
    while (!at(TokenKind::kRightBracket)) {
      if (!list->items.empty()) expect(TokenKind::kComma);
      if (at(TokenKind::kRightBracket)) break;
      list->items.push_back(parse_expression());
    }
    next();
    return finish(std::move(list));
  }

  ExprPtr parse_dict() {
    auto dict = std::make_unique<DictLiteral>(next().line);
    while (!at(TokenKind::kRightBrace)) {
      if (!dict->items.empty()) expect(TokenKind::kComma);
      if (at(TokenKind::kRightBrace)) break;
      ExprPtr key = parse_expression();
      expect(TokenKind::kColon);
      dict->items.emplace_back(std::move(key), parse_expression());
    }
    next();
    return finish(std::move(dict));
  }

  ExprPtr parse_postfix(ExprPtr node) {
    while (true) {
      if (at(TokenKind::kDot) || at(TokenKind::kLeftBracket)) {
        node = parse_subscript(std::move(node));
      } else if (at(TokenKind::kLeftParen)) {
        node = parse_call(std::move(node));
      } else {
        return node;
      }
    }
  }

  ExprPtr parse_filters_and_tests(ExprPtr node) {
    while (true) {
      if (at(TokenKind::kPipe)) {
        node = parse_filters(std::move(node));
      } else if (at_name("is")) {
        node = parse_test(std::move(node));
      } else if (at(TokenKind::kLeftParen)) {
        node = parse_call(std::move(node));
      } else {
        return node;
      }
    }
  }

  ExprPtr parse_subscript(ExprPtr object) {
    const Token token = next();
    if (token.kind == TokenKind::kDot) {
      const Token& attribute = next();
      if (attribute.kind == TokenKind::kName)
        return finish(std::make_unique<Getattr>(token.line, std::move(object), text(attribute.text)));
      if (attribute.kind != TokenKind::kInteger) error(attribute.line, "expected name or number");
      return finish(std::make_unique<Getitem>(
          token.line, std::move(object), std::make_unique<Const>(attribute.line, Value::integer(attribute.integer))));
    }
    auto keys = std::make_unique<Items>(ExprKind::kTuple, token.line);
    while (!at(TokenKind::kRightBracket)) {
      if (!keys->items.empty()) expect(TokenKind::kComma);
      keys->items.push_back(parse_subscript_part());
    }
    next();
    if (keys->items.size() == 1) {
      ExprPtr& key = keys->items.front();
      if (key->kind == ExprKind::kSlice) {
        static_cast<Slice&>(*key).object = std::move(object);
        std::unique_ptr<Slice> slice(static_cast<Slice*>(key.release()));
        return finish(std::move(slice));
      }
      return finish(std::make_unique<Getitem>(token.line, std::move(object), std::move(key)));
    }
    return finish(std::make_unique<Getitem>(token.line, std::move(object), finish(std::move(keys))));
  }

  ExprPtr parse_subscript_part() {
    const int line = current().line;
    ExprPtr start;
    if (!at(TokenKind::kColon)) {
      start = parse_expression();
      if (!at(TokenKind::kColon)) return start;
    }
    next();
    auto slice = std::make_unique<Slice>(line);
    slice->start = std::move(start);
    const auto ends = [&] { return at(TokenKind::kRightBracket) || at(TokenKind::kComma); };
    if (!at(TokenKind::kColon) && !ends()) slice->stop = parse_expression();
    if (skip_if(TokenKind::kColon) && !ends()) slice->step = parse_expression();
    return finish(std::move(slice));
  }

  Arguments parse_arguments() {
    const int line = expect(TokenKind::kLeftParen).line;
    Arguments arguments;
    std::unordered_set<std::string_view> names;
    bool first = true;
    const auto ensure = [&](bool valid) {
      if (!valid) error(line, "invalid syntax for function call expression");
    };
    while (!at(TokenKind::kRightParen)) {
      if (!first) {
        expect(TokenKind::kComma);
        if (at(TokenKind::kRightParen)) break;
      }
      first = false;
      if (skip_if(TokenKind::kMul)) {
        ensure(!arguments.more_positional && !arguments.more_keywords);
        arguments.more_positional = parse_expression();
      } else if (skip_if(TokenKind::kPow)) {
        ensure(!arguments.more_keywords);
        arguments.more_keywords = parse_expression();
      } else if (at(TokenKind::kName) && look().kind == TokenKind::kAssign) {
        ensure(!arguments.more_keywords);
        const Value name = text(next().text);
        next();
        if (!names.insert(name.view()).second) error(line, "keyword argument repeated: " + std::string(name.view()));
        arguments.keywords.emplace_back(name, parse_expression());
      } else {
        ensure(!arguments.more_positional && !arguments.more_keywords && arguments.keywords.empty());
        arguments.positional.push_back(parse_expression());
      }
    }
    next();
    return arguments;
  }

  ExprPtr parse_call(ExprPtr callee) {
    auto call = std::make_unique<Call>(current().line, std::move(callee));
    call->arguments = parse_arguments();
    return finish(std::move(call));
  }

  std::string parse_dotted_name() {
    std::string name = expect(TokenKind::kName).text;
    while (skip_if(TokenKind::kDot)) name += "." + expect(TokenKind::kName).text;
    return name;
  }

  ExprPtr parse_filters(ExprPtr node) {
    while (skip_if(TokenKind::kPipe)) node = parse_one_filter(std::move(node));
    return node;
  }

  ExprPtr parse_one_filter(ExprPtr node) {
    const int line = current().line;
    auto filter = std::make_unique<Filter>(line, std::move(node), text(parse_dotted_name()));
    if (at(TokenKind::kLeftParen)) filter->arguments = parse_arguments();
    return finish(std::move(filter));
  }

  ExprPtr parse_test(ExprPtr node) {
    const int line = next().line;
    const bool negated = skip_if_name("not");
    auto test = std::make_unique<Test>(line, std::move(node), text(parse_dotted_name()));
    if (at(TokenKind::kLeftParen)) {
      test->arguments = parse_arguments();
    } else if (begins_test_argument()) {
      if (at_name("is")) error("You cannot chain multiple tests with is");
      test->arguments.positional.push_back(parse_postfix(parse_primary(false)));
    }
    ExprPtr finished = finish(std::move(test));
    if (!negated) return finished;
    return finish(std::make_unique<Unary>(ExprKind::kNot, line, std::move(finished)));
  }

  bool begins_test_argument() const {
    switch (current().kind) {
      case TokenKind::kName: return !at_name("else") && !at_name("or") && !at_name("and");
      case TokenKind::kString:
      case TokenKind::kInteger:
      case TokenKind::kFloat:
      case TokenKind::kLeftBracket:
      case TokenKind::kLeftBrace: return true;
      default: return false;
    }
  }

  const std::vector<Token> tokens_;
  const TemplateLimits& limits_;
  Tree& tree_;
  std::unordered_set<std::string_view> block_names_;
  size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace

std::unique_ptr<Tree> parse(std::string_view source, const TemplateLimits& limits) {
  if (source.size() > limits.source_bytes)
    throw TemplateError(1, "the template is longer than " + std::to_string(limits.source_bytes) + " bytes");
  if (!is_valid_utf8(source)) throw TemplateError(1, "the template is not valid UTF-8");
  auto tree = std::make_unique<Tree>();
  Parser(source, limits, *tree).run();
  resolve_scopes(*tree, fold_constants(*tree, limits));
  return tree;
}

}  // namespace hearth::text::jinja
