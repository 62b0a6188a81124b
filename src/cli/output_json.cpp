#include "cli/output_json.h"

#include <nlohmann/json.hpp>

namespace hearth::cli {
namespace {

const char* kind_name(text::OutputEvent::Kind kind) {
  using Kind = text::OutputEvent::Kind;
  switch (kind) {
    case Kind::content: return "content";
    case Kind::reasoning: return "reasoning";
    case Kind::call_start: return "call_start";
    case Kind::call_arguments: return "call_arguments";
    case Kind::call_end: return "call_end";
    case Kind::call_failed: return "call_failed";
  }
  return "";
}

}  // namespace

Json to_json(const text::OutputEvent& event) {
  Json json = {{"type", kind_name(event.kind)}};
  if (event.call >= 0) json["call"] = event.call;
  for (const auto& [key, value] :
       {std::pair{"id", &event.id}, {"name", &event.name}, {"text", &event.text}, {"reason", &event.reason}})
    if (!value->empty()) json[key] = *value;
  if (event.repaired) json["repaired"] = true;
  return json;
}

Json to_json(const text::ParsedOutput& output) {
  Json calls = Json::array(), malformed = Json::array();
  for (const auto& call : output.tool_calls) {
    calls.push_back({{"id", call.id}, {"name", call.name}, {"arguments", parse_json(call.arguments, "arguments")}});
    if (call.repaired) calls.back()["repaired"] = true;
  }
  for (const auto& call : output.malformed) malformed.push_back({{"text", call.text}, {"reason", call.reason}});
  Json json = {{"reasoning", output.reasoning}, {"content", output.content}, {"tool_calls", std::move(calls)}};
  if (!malformed.empty()) json["malformed"] = std::move(malformed);
  return json;
}

}  // namespace hearth::cli
