// A SAX handler that counts before it builds: nlohmann's own parser has no limits, and copying or destroying a value
// nested 100,000 deep overflows the stack.
#include "base/json.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"

namespace hearth {

namespace {

class GuardedHandler {
 public:
  GuardedHandler(Json& root, const JsonLimits& limits) : builder_(root, false), limits_(limits) {}

  bool null() { return count() && builder_.null(); }
  bool boolean(bool v) { return count() && builder_.boolean(v); }
  bool number_integer(int64_t v) { return count() && builder_.number_integer(v); }
  bool number_unsigned(uint64_t v) { return count() && builder_.number_unsigned(v); }
  bool number_float(double v, const std::string& s) {
    if (limits_.exact && s.find_first_of(".eE") == std::string::npos)
      return refuse("the integer " + s.substr(0, 40) + (s.size() > 40 ? "..." : "") + " does not fit in 64 bits");
    return count() && builder_.number_float(v, s);
  }
  bool string(std::string& v) { return count() && builder_.string(v); }
  bool binary(Json::binary_t& v) { return count() && builder_.binary(v); }
  bool start_object(size_t n) { return count() && enter() && builder_.start_object(n); }
  bool start_array(size_t n) { return count() && enter() && builder_.start_array(n); }
  bool end_object() { return leave() && builder_.end_object(); }
  bool end_array() { return leave() && builder_.end_array(); }
  bool key(std::string& name) {
    if (++keys_.back() > limits_.keys)
      return refuse("more than " + std::to_string(limits_.keys) + " keys in one object");
    return builder_.key(name);
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) {
    return refuse("not valid JSON at byte " + std::to_string(position));
  }

  const std::string& refusal() const { return refusal_; }

 private:
  bool refuse(std::string why) {
    if (refusal_.empty()) refusal_ = std::move(why);
    return false;
  }
  bool count() {
    if (++nodes_ > limits_.nodes) return refuse("more than " + std::to_string(limits_.nodes) + " JSON values");
    return true;
  }
  bool enter() {
    keys_.push_back(0);
    if (keys_.size() > static_cast<size_t>(limits_.depth))
      return refuse("JSON nested deeper than " + std::to_string(limits_.depth));
    return true;
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }

  nlohmann::detail::json_sax_dom_parser<Json> builder_;
  const JsonLimits& limits_;
  std::vector<size_t> keys_;  // keys seen so far, per open object (arrays stay at 0)
  size_t nodes_ = 0;
  std::string refusal_;
};

}  // namespace

Json parse_json(std::string_view text, std::string_view source, const JsonLimits& limits) {
  if (text.size() > limits.bytes)
    throw LoadError(source, "JSON text longer than " + std::to_string(limits.bytes) + " bytes");
  // nlohmann takes a zero byte for the end of the text.
  if (const size_t zero = text.find('\0'); zero != std::string_view::npos)
    throw LoadError(source, "not valid JSON at byte " + std::to_string(zero + 1));
  Json root;
  GuardedHandler handler(root, limits);
  if (!Json::sax_parse(text.begin(), text.end(), &handler)) throw LoadError(source, handler.refusal());
  return root;
}

Json load_json(const std::filesystem::path& path, const JsonLimits& limits) {
  return parse_json(read_file(path, limits.bytes), path.string(), limits);
}

}  // namespace hearth
