// Private to ast.h: walking one level down.
#pragma once

namespace hearth::text::jinja {

template <typename VisitExpr>
void for_each_argument(const Arguments& arguments, VisitExpr&& visit) {
  for (const auto& argument : arguments.positional) visit(argument.get());
  for (const auto& [name, value] : arguments.keywords) visit(value.get());
  if (arguments.more_positional) visit(arguments.more_positional.get());
  if (arguments.more_keywords) visit(arguments.more_keywords.get());
}

template <typename VisitExpr>
void for_each_child(const Expr& parent, VisitExpr&& visit) {
  const auto all = [&](const std::vector<ExprPtr>& items) {
    for (const auto& item : items) visit(item.get());
  };
  const auto maybe = [&](const ExprPtr& item) {
    if (item) visit(item.get());
  };
  switch (parent.kind) {
    case ExprKind::kConst:
    case ExprKind::kName:
    case ExprKind::kNamespaceRef: break;
    case ExprKind::kTuple:
    case ExprKind::kList: all(static_cast<const Items&>(parent).items); break;
    case ExprKind::kDict:
      for (const auto& [key, value] : static_cast<const DictLiteral&>(parent).items) {
        visit(key.get());
        visit(value.get());
      }
      break;
    case ExprKind::kArithmetic:
    case ExprKind::kAnd:
    case ExprKind::kOr:
      visit(static_cast<const Binary&>(parent).left.get());
      visit(static_cast<const Binary&>(parent).right.get());
      break;
    case ExprKind::kNot:
    case ExprKind::kNegate:
    case ExprKind::kPosate: visit(static_cast<const Unary&>(parent).operand.get()); break;
    case ExprKind::kConcat: all(static_cast<const Concat&>(parent).items); break;
    case ExprKind::kCompare:
      visit(static_cast<const Compare&>(parent).first.get());
      for (const auto& [op, operand] : static_cast<const Compare&>(parent).rest) visit(operand.get());
      break;
    case ExprKind::kGetattr: visit(static_cast<const Getattr&>(parent).object.get()); break;
    case ExprKind::kGetitem:
      visit(static_cast<const Getitem&>(parent).object.get());
      visit(static_cast<const Getitem&>(parent).key.get());
      break;
    case ExprKind::kSlice: {
      const auto& slice = static_cast<const Slice&>(parent);
      maybe(slice.object);
      maybe(slice.start);
      maybe(slice.stop);
      maybe(slice.step);
      break;
    }
    case ExprKind::kCall:
      visit(static_cast<const Call&>(parent).callee.get());
      for_each_argument(static_cast<const Call&>(parent).arguments, visit);
      break;
    case ExprKind::kFilter:
      maybe(static_cast<const Filter&>(parent).operand);
      for_each_argument(static_cast<const Filter&>(parent).arguments, visit);
      break;
    case ExprKind::kTest:
      visit(static_cast<const Test&>(parent).operand.get());
      for_each_argument(static_cast<const Test&>(parent).arguments, visit);
      break;
    case ExprKind::kCondition: {
      const auto& condition = static_cast<const Condition&>(parent);
      visit(condition.test.get());
      visit(condition.then.get());
      maybe(condition.otherwise);
      break;
    }
  }
}

template <typename VisitExpr, typename VisitStmt>
void for_each_child(const Stmt& parent, VisitExpr&& expr, VisitStmt&& statement) {
  const auto body = [&](const Body& statements) {
    for (const auto& one : statements) statement(one.get());
  };
  const auto all = [&](const std::vector<ExprPtr>& items) {
    for (const auto& item : items) expr(item.get());
  };
  const auto maybe = [&](const ExprPtr& item) {
    if (item) expr(item.get());
  };
  const auto macro = [&](const MacroBody& m) {
    for (const auto& parameter : m.parameters) expr(parameter.get());
    all(m.defaults);
    body(m.body);
  };
  switch (parent.kind) {
    case StmtKind::kOutput: all(static_cast<const Output&>(parent).items); break;
    case StmtKind::kFor: {
      const auto& loop = static_cast<const For&>(parent);
      expr(loop.target.get());
      expr(loop.iterable.get());
      body(loop.body);
      body(loop.otherwise);
      maybe(loop.test);
      break;
    }
    case StmtKind::kIf:
      for (const auto& [test, then] : static_cast<const If&>(parent).branches) {
        expr(test.get());
        body(then);
      }
      body(static_cast<const If&>(parent).otherwise);
      break;
    case StmtKind::kMacro: macro(static_cast<const Macro&>(parent).macro); break;
    case StmtKind::kCallBlock:
      maybe(static_cast<const CallBlock&>(parent).call);
      macro(static_cast<const CallBlock&>(parent).macro);
      break;
    case StmtKind::kFilterBlock:
      body(static_cast<const FilterBlock&>(parent).body);
      maybe(static_cast<const FilterBlock&>(parent).filter);
      break;
    case StmtKind::kWith:
      all(static_cast<const With&>(parent).targets);
      all(static_cast<const With&>(parent).values);
      body(static_cast<const With&>(parent).body);
      break;
    case StmtKind::kScope: body(static_cast<const Scope&>(parent).body); break;
    case StmtKind::kBlock: body(static_cast<const Block&>(parent).body); break;
    case StmtKind::kLoad: maybe(static_cast<const Load&>(parent).source); break;
    case StmtKind::kSet:
      expr(static_cast<const Set&>(parent).target.get());
      expr(static_cast<const Set&>(parent).value.get());
      break;
    case StmtKind::kSetBlock: {
      const auto& set = static_cast<const SetBlock&>(parent);
      expr(set.target.get());
      maybe(set.filter);
      body(set.body);
      break;
    }
    case StmtKind::kBreak:
    case StmtKind::kContinue: break;
  }
}

}  // namespace hearth::text::jinja
