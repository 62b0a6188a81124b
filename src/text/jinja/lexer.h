// A template's text cut into tokens, white space control applied: jinja2's lexer with trim_blocks and lstrip_blocks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::text::jinja {

enum class TokenKind {
  kData,
  kVariableBegin,
  kVariableEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,
  kInteger,
  kFloat,
  kEnd,
  kAdd,
  kSub,
  kMul,
  kDiv,
  kFloorDiv,
  kMod,
  kPow,
  kTilde,
  kLeftBracket,
  kRightBracket,
  kLeftParen,
  kRightParen,
  kLeftBrace,
  kRightBrace,
  kEqual,
  kNotEqual,
  kGreater,
  kGreaterEqual,
  kLess,
  kLessEqual,
  kAssign,
  kDot,
  kColon,
  kPipe,
  kComma,
  kSemicolon,
};

struct Token {
  TokenKind kind;
  int line;
  std::string text;  // of data, names and strings, escapes resolved
  long long integer = 0;
  double real = 0;
};

// All tokens, the last one kEnd. Throws TemplateError.
std::vector<Token> tokenize(std::string_view source);

// The token as an error message names it.
std::string describe(const Token& token);
std::string describe(TokenKind kind);

}  // namespace hearth::text::jinja
