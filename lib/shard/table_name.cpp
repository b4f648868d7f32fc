#include "shard/table.hpp"
#include "shard/training_rows.hpp"

namespace evd::shard {

template <>
std::string_view table_name<Sample>() {
  return "samples";
}
template <>
std::string_view table_name<Image>() {
  return "images";
}
template <>
std::string_view table_name<Answer>() {
  return "answers";
}
template <>
std::string_view table_name<Pair>() {
  return "pairs";
}
template <>
std::string_view table_name<Call>() {
  return "calls";
}
template <>
std::string_view table_name<Prompt>() {
  return "prompts";
}
template <>
std::string_view table_name<Step>() {
  return "steps";
}
template <>
std::string_view table_name<Visit>() {
  return "visits";
}
template <>
std::string_view table_name<Block>() {
  return "blocks";
}
template <>
std::string_view table_name<Validation>() {
  return "validations";
}
template <>
std::string_view table_name<Feature>() {
  return "features";
}
template <>
std::string_view table_name<FeatureUse>() {
  return "feature_uses";
}
template <>
std::string_view table_name<Metric>() {
  return "metrics";
}

}  // namespace evd::shard
