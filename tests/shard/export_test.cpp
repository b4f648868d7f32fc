#include "shard/export.hpp"

#include <limits>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "shard/random_rows.hpp"

namespace evd::shard {
namespace {

template <class Row>
std::string csv(const std::vector<Row>& rows) {
  std::ostringstream out;
  write_csv<Row>(out, rows);
  return out.str();
}

template <class Row>
std::string jsonl(const std::vector<Row>& rows) {
  std::ostringstream out;
  write_jsonl<Row>(out, rows);
  return out.str();
}

std::vector<Prompt> prompts() {
  std::vector<Prompt> rows(2);
  rows[0].text = "say \"hi\", twice\nand stop";
  rows[0].line = 7;
  rows[0].category_text = true;
  rows[1].text = "\u6f22 \U0001F600";
  rows[1].category_source = CategorySource::given;
  return rows;
}

TEST(Csv, QuotesNamesAndNumbers) {
  const std::string zeros(32, '0');
  EXPECT_EQ(csv(prompts()),
            "id,text,line,category_human,category_text,category_multi,category_source\n" + zeros +
                ",\"say \"\"hi\"\", twice\nand stop\",7,false,true,false,rules\n" + zeros +
                ",\u6f22 \U0001F600,0,false,false,false,given\n");
  EXPECT_EQ(csv(std::vector<Prompt>{}),
            "id,text,line,category_human,category_text,category_multi,category_source\n");
}

TEST(Csv, NumbersReadBackEqual) {
  std::vector<Metric> rows(1);
  rows[0].value = 0.1;
  rows[0].low = -1e300;
  rows[0].high = std::numeric_limits<double>::quiet_NaN();
  rows[0].count = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(csv(rows),
            "round,stage,metric,category,teacher,value,low,high,count\n"
            "0,,,,,0.1,-1e+300,nan,-9223372036854775808\n");
}

TEST(Csv, PicturesAreLeftOut) {
  const auto text = csv(test::random_rows<Image>(3, 1));
  EXPECT_NE(text.find(",sha256\n"), std::string::npos);
  EXPECT_EQ(text.find(",bytes"), std::string::npos);
}

TEST(JsonLines, EveryLineIsAnObjectWithAllColumns) {
  const auto rows = test::random_rows<Sample>(50, 1);
  std::istringstream lines(jsonl(rows));
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json.at("id"), rows[count].id.hex());
    EXPECT_EQ(json.at("prompt"), rows[count].prompt);
    EXPECT_EQ(json.at("status"), name(rows[count].status));
    EXPECT_EQ(json.at("category_text"), rows[count].category_text);
    EXPECT_EQ(json.at("target_teacher"), rows[count].target_teacher.text);
    EXPECT_EQ(json.at("margin").get<float>(), rows[count].margin);
    EXPECT_EQ(json.at("cost_microusd"), rows[count].cost_microusd);
  }
  EXPECT_EQ(count, rows.size());
}

TEST(JsonLines, WhatJsonLacksIsNull) {
  std::vector<Metric> rows(1);
  rows[0].value = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(nlohmann::json::parse(jsonl(rows)).at("value").is_null());
}

TEST(Export, AFailedStreamIsAnIoError) {
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  EXPECT_THROW(write_csv<Prompt>(out, prompts()), IoError);
  EXPECT_THROW(write_jsonl<Prompt>(out, prompts()), IoError);
}

}  // namespace
}  // namespace evd::shard
