// Renders chat templates from standard input, for tools/fuzz_templates.py: one JSON object a line in
// {"template", "messages", "tools", "options"} (templates may be repeated; the last few are kept parsed), one out:
// {"text", "spans"} or {"error"}. With "repeat" in the request, renders that often and adds the best "microseconds".
//
//   g++ -std=c++20 -O2 -Isrc tools/render_templates.cpp build/release/src/text/libhearth_text.a
//       build/release/src/base/libhearth_base.a -lpcre2-8 -lpthread -o /tmp/render_templates
#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "base/json.h"
#include "text/chat_template.h"

namespace {

using hearth::Json;

Json render(const Json& request, std::map<std::string, hearth::text::ChatTemplate>& parsed) {
  const std::string source = request.at("template");
  auto found = parsed.find(source);
  if (found == parsed.end()) {
    if (parsed.size() > 100) parsed.clear();
    found = parsed.emplace(source, hearth::text::ChatTemplate(source, "<s>", "</s>")).first;
  }
  const Json none;
  const auto part = [&](const char* name) -> const Json& { return request.contains(name) ? request[name] : none; };
  hearth::text::RenderedChat chat;
  double best = 1e300;
  for (int i = 0; i < request.value("repeat", 1); ++i) {
    const auto begin = std::chrono::steady_clock::now();
    chat = found->second.render_with_spans(part("messages"), part("tools"), part("options"));
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count());
  }
  Json answer;
  if (request.contains("repeat")) answer["microseconds"] = best;
  answer["text"] = chat.text;
  answer["spans"] = chat.generation_spans;
  return answer;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  std::map<std::string, hearth::text::ChatTemplate> parsed;
  for (std::string line; std::getline(std::cin, line);) {
    Json answer;
    try {
      answer = render(hearth::parse_json(line, "line"), parsed);
    } catch (const std::exception& error) {
      answer["error"] = error.what();
    }
    std::cout << answer.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
  }
}
