#include "teacher/openai_images.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base64.hpp"
#include "image/image.hpp"
#include "image/samples.hpp"

namespace evd::teacher {
namespace {

using Next = Ending::Next;

std::vector<std::byte> picture() {
  image::Rgb rgb{.width = 40, .height = 24};
  rgb.pixels.resize(40 * 24 * 3);
  for (std::size_t i = 0; i < rgb.pixels.size(); ++i) rgb.pixels[i] = i * 7 % 251;
  return image::encode_png(rgb);
}

Ending examine(const std::string& body, int status = 200) {
  http::Response response{.status = status, .body = body, .content_type = "application/json"};
  return teacher::examine(Wire::openai_images, response, 0);
}

std::string answer(const std::string& b64, const std::string& more = "") {
  return R"({"created":1790000000,"output_format":"png",)" + more + R"("data":[{"b64_json":")" +
         b64 + R"("}],"usage":{"input_tokens":31,"details":{"x":[1,2]}}})";
}

TEST(ImagesRequest, IsWhatTheReferenceClientSends) {
  EXPECT_EQ(nlohmann::json::parse(images_request_body({.model = "m",
                                                       .prompt = "a \"red\"\n\U0001F600 circle",
                                                       .width = 1024,
                                                       .height = 768,
                                                       .quality = "low"})),
            (nlohmann::json{{"model", "m"},
                            {"prompt", "a \"red\"\n\U0001F600 circle"},
                            {"size", "1024x768"},
                            {"n", 1},
                            {"output_format", "png"},
                            {"quality", "low"}}));
  EXPECT_FALSE(nlohmann::json::parse(images_request_body({.model = "m"})).contains("quality"));
}

TEST(ImagesAnswer, PictureModelAndRevisedPrompt) {
  const auto bytes = picture();
  const auto ending = examine(
      R"({"data":[{"revised_prompt":"a \"very\" red circle \u2014","url":null,"b64_json":")" +
      base64(bytes) + R"("}],"model":"m-2026"})");
  EXPECT_EQ(ending.next, Next::answered) << ending.message;
  EXPECT_EQ(ending.charge, Charge::paid);
  EXPECT_EQ(ending.content.payload, bytes);
  EXPECT_EQ(ending.content.model_echo, "m-2026");
  EXPECT_EQ(ending.content.revised_prompt, "a \"very\" red circle \u2014");
}

TEST(ImagesAnswer, OrderSpaceAndUnknownMembersDoNotMatter) {
  const auto bytes = picture();
  nlohmann::ordered_json body = {
      {"unknown", {{"data", {{{"b64_json", "AAAA"}}}}}},
      {"usage", {{"total_tokens", 3}}},
      {"data", {{{"x", {1, {{"y", "]}"}}}}, {"b64_json", base64(bytes)}, {"z", nullptr}}}},
      {"created", 1}};
  for (const int indent : {-1, 0, 4})
    EXPECT_EQ(examine(body.dump(indent)).content.payload, bytes) << indent;
}

// Some servers write '/' as "\/", which JSON allows.
TEST(ImagesAnswer, EscapedSlashesInBase64) {
  const auto bytes = picture();
  std::string b64 = base64(bytes);
  ASSERT_NE(b64.find('/'), std::string::npos);
  for (std::size_t at = 0; (at = b64.find('/', at)) != std::string::npos; at += 2)
    b64.insert(at, "\\");
  EXPECT_EQ(examine(answer(b64)).content.payload, bytes);
}

TEST(ImagesAnswer, TakesTheFirstPictureThatIsThere) {
  const auto bytes = picture();
  const std::string b64 = base64(bytes);
  EXPECT_EQ(
      examine(R"({"data":[{"b64_json":null},{},{"b64_json":")" + b64 + R"("}]})").content.payload,
      bytes);
  const auto located =
      locate_images(R"({"data":[{"b64_json":"QQ=="},{"url":null},{"b64_json":"Qg=="}]})");
  ASSERT_EQ(located.items.size(), 3U);
  EXPECT_EQ(located.items[0].b64_json, "QQ==");
  EXPECT_EQ(located.items[1].b64_json, "");
  EXPECT_EQ(located.items[2].b64_json, "Qg==");
}

TEST(ImagesAnswer, EveryPrefixIsUnusable) {
  const std::string whole = answer(base64(picture()));
  for (std::size_t length = 0; length < whole.size(); length += 1 + length / 40) {
    const auto ending = examine(whole.substr(0, length));
    EXPECT_EQ(ending.next, Next::retry) << length;
    EXPECT_EQ(ending.charge, Charge::unusable) << length;
    EXPECT_EQ(ending.reason, "no_json") << length;
  }
}

TEST(ImagesAnswer, HtmlWithStatus200IsAFailedAttempt) {
  const auto ending = examine("<!DOCTYPE html><html><body>Sign in</body></html>");
  EXPECT_EQ(ending.next, Next::retry);
  EXPECT_EQ(ending.reason, "no_json");
}

TEST(ImagesAnswer, NoPictureIsAFailedAttempt) {
  for (const char* body :
       {R"({"created":1})", R"({"data":[]})", R"({"data":null})", R"({"data":[{}]})",
        R"({"data":[null]})", R"({"data":{"b64_json":"QQ=="}})", R"({"data":[{"b64_json":""}]})"}) {
    const auto ending = examine(body);
    EXPECT_EQ(ending.next, Next::retry) << body;
    EXPECT_EQ(ending.reason, "no_image") << body;
  }
}

TEST(ImagesAnswer, HalfAPictureIsCorrupt) {
  auto bytes = picture();
  bytes.resize(bytes.size() / 2);
  EXPECT_EQ(examine(answer(base64(bytes))).reason, "corrupt_image");
  EXPECT_EQ(examine(answer("AAAA")).reason, "corrupt_image");
  EXPECT_EQ(examine(answer("not base64!")).reason, "corrupt_base64");
}

TEST(ImagesAnswer, AGiantPictureIsRefusedByItsHeader) {
  const auto ending = examine(answer(base64(image::test::png_header(60'000, 60'000))));
  EXPECT_EQ(ending.next, Next::retry);
  EXPECT_EQ(ending.reason, "corrupt_image");
}

TEST(ImagesAnswer, AJpegThatIsCalledPngIsAJpeg) {
  const auto bytes = image::test::jpeg_file(image::test::smooth_image(40, 24));
  const auto ending = examine(answer(base64(bytes), R"("mime":"image/png",)"));
  EXPECT_EQ(ending.next, Next::answered) << ending.message;
  EXPECT_EQ(image::probe(ending.content.payload).mime, "image/jpeg");
}

TEST(ImagesAnswer, AnErrorObjectWithStatus200) {
  EXPECT_EQ(examine(R"({"error":{"message":"no","code":"moderation_blocked"}})").next,
            Next::refused);
  EXPECT_EQ(examine(R"({"error":{"message":"oops","code":"internal"}})").reason, "error_in_answer");
  EXPECT_EQ(examine(R"({"error":null,"data":[{"b64_json":")" + base64(picture()) + R"("}]})").next,
            Next::answered);
}

TEST(ImagesAnswer, UrlsStopTheService) {
  const auto ending = examine(R"({"data":[{"url":"https://x/y.png?sig=secret"}]})");
  EXPECT_EQ(ending.next, Next::give_up);
  EXPECT_EQ(ending.message.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace evd::teacher
