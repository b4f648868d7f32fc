#include "run/fields.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::run {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

class Collector {
 public:
  explicit Collector(std::string table = "") : table_(std::move(table)) {}

  template <class Options>
  void table(std::string_view name, Options& options) {
    table_ = name;
    options.describe(*this);
  }
  template <class T>
  void operator()(std::string_view key, T& member, const OptionInfo& info) {
    fields.push_back({table_, std::string(key), info, slot(member)});
  }

  std::vector<Field> fields;

 private:
  template <class T>
  static Slot slot(T& member) {
    if constexpr (NamedEnum<T>) {
      return EnumSlot{EnumNames<T>::value, [&member] { return static_cast<std::size_t>(member); },
                      [&member](std::size_t value) { member = static_cast<T>(value); }};
    } else {
      return &member;
    }
  }
  std::string table_;
};

// Shortest text that reads back as the same double, and as a float in TOML.
std::string shortest(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  std::string result(text.data(), end);
  if (result.find_first_of(".en") == std::string::npos) result += ".0";
  return result;
}

std::string choices(const EnumSlot& slot) {
  std::string text;
  for (const auto& option : slot.names) text += (text.empty() ? "" : ", ") + std::string(option);
  return text;
}

// A bound as people write it: whole numbers without an exponent.
std::string bound(double value) {
  return std::floor(value) == value && std::abs(value) < 1e15 ? format("%.0f", value)
                                                              : format("%g", value);
}

std::string describe(const Value& value) {
  return std::visit(Overloaded{
                        [](bool b) { return std::string(b ? "true" : "false"); },
                        [](std::int64_t i) { return std::to_string(i); },
                        [](double d) { return shortest(d); },
                        [](const std::string& s) {
                          return toml_string(s.size() <= 60 ? s : s.substr(0, 57) + "...");
                        },
                    },
                    value);
}

std::string meaning(const Field& field) {
  std::string text(field.info.help);
  if (!field.info.unit.empty())
    text += (text.empty() ? "in " : ", in ") + std::string(field.info.unit);
  return text.empty() ? "" : " (" + text + ")";
}

[[noreturn]] void fail_type(const Field& field, const Value& value, std::string_view where) {
  const std::string range = range_text(field);
  throw ConfigurationError(std::string(where) + field.path() + " = " + describe(value) +
                           " is not " + type_name(field) + meaning(field) +
                           (range.empty() ? "" : "; allowed: " + range));
}

[[noreturn]] void fail_range(const Field& field, const Value& value, std::string_view where) {
  throw ConfigurationError(std::string(where) + field.path() + " = " + describe(value) +
                           " is out of range" + meaning(field) + "; allowed: " + range_text(field) +
                           (field.info.unit.empty() ? "" : " " + std::string(field.info.unit)));
}

std::pair<double, double> limits(const Field& field) {
  double low = field.info.min;
  double high = field.info.max;
  if (std::holds_alternative<int*>(field.slot)) {
    low = std::max(low, static_cast<double>(std::numeric_limits<int>::min()));
    high = std::min(high, static_cast<double>(std::numeric_limits<int>::max()));
  } else if (std::holds_alternative<std::uint64_t*>(field.slot)) {
    low = std::max(low, 0.0);
  }
  return {low, high};
}

template <class Number>
Number in_range(const Field& field, Number number, const Value& value, std::string_view where) {
  const auto [low, high] = limits(field);
  const auto real = static_cast<double>(number);
  if (!(real >= low && real <= high)) fail_range(field, value, where);
  return number;
}

}  // namespace

std::vector<Field> fields_of(Config& config) {
  Collector collector;
  config.describe(collector);
  return std::move(collector.fields);
}

std::vector<Field> fields_of(teacher::ServiceOptions& service, std::string table) {
  Collector collector(std::move(table));
  service.describe(collector);
  return std::move(collector.fields);
}

std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        result += "\\\"";
        break;
      case '\\':
        result += "\\\\";
        break;
      case '\n':
        result += "\\n";
        break;
      case '\r':
        result += "\\r";
        break;
      case '\t':
        result += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          result += format("\\u%04X", static_cast<unsigned>(c));
        } else {
          result += c;
        }
    }
  }
  return result + '"';
}

std::string literal(const Field& field) {
  return std::visit(Overloaded{
                        [](const bool* b) { return std::string(*b ? "true" : "false"); },
                        [](const double* d) { return shortest(*d); },
                        [](const std::string* s) { return toml_string(*s); },
                        [](const EnumSlot& e) { return toml_string(e.names[e.get()]); },
                        [](const auto* number) { return std::to_string(*number); },
                    },
                    field.slot);
}

std::string type_name(const Field& field) {
  return std::visit(Overloaded{
                        [](const bool*) { return std::string("true or false"); },
                        [](const double*) { return std::string("a number"); },
                        [](const std::string*) { return std::string("a text"); },
                        [](const EnumSlot& e) { return "one of: " + choices(e); },
                        [](const auto*) { return std::string("a whole number"); },
                    },
                    field.slot);
}

std::string range_text(const Field& field) {
  const bool low = std::isfinite(field.info.min);
  const bool high = std::isfinite(field.info.max);
  if (low && high) return bound(field.info.min) + " .. " + bound(field.info.max);
  if (low) return ">= " + bound(field.info.min);
  if (high) return "<= " + bound(field.info.max);
  if (std::holds_alternative<std::uint64_t*>(field.slot)) return ">= 0";
  return "";
}

void assign(const Field& field, const Value& value, std::string_view where) {
  const auto* whole = std::get_if<std::int64_t>(&value);
  const auto* text = std::get_if<std::string>(&value);
  std::visit(Overloaded{
                 [&](bool* member) {
                   const auto* flag = std::get_if<bool>(&value);
                   if (flag == nullptr) fail_type(field, value, where);
                   *member = *flag;
                 },
                 [&](double* member) {
                   const auto* real = std::get_if<double>(&value);
                   if (whole == nullptr && real == nullptr) fail_type(field, value, where);
                   const double number = real != nullptr ? *real : static_cast<double>(*whole);
                   if (!std::isfinite(number)) fail_range(field, value, where);
                   *member = in_range(field, number, value, where);
                 },
                 [&](std::string* member) {
                   if (text == nullptr) fail_type(field, value, where);
                   *member = *text;
                 },
                 [&](const EnumSlot& slot) {
                   if (text == nullptr) fail_type(field, value, where);
                   for (std::size_t i = 0; i < slot.names.size(); ++i)
                     if (slot.names[i] == *text) return slot.set(i);
                   fail_type(field, value, where);
                 },
                 [&](auto* member) {
                   if (whole == nullptr) fail_type(field, value, where);
                   using Number = std::remove_pointer_t<decltype(member)>;
                   *member = static_cast<Number>(in_range(field, *whole, value, where));
                 },
             },
             field.slot);
}

void assign_text(const Field& field, std::string_view text, std::string_view where) {
  const auto number = [&]<class Number>(Number parsed) -> std::optional<Number> {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return parsed;
  };
  Value value = std::string(text);
  if (std::holds_alternative<bool*>(field.slot)) {
    if (text == "true" || text == "false") value = text == "true";
  } else if (!std::holds_alternative<std::string*>(field.slot) &&
             !std::holds_alternative<EnumSlot>(field.slot)) {
    if (const auto whole = number(std::int64_t{0})) {
      value = *whole;
    } else if (const auto real = number(0.0)) {
      value = *real;
    }
  }
  assign(field, value, where);
}

}  // namespace evd::run
