#include <gtest/gtest.h>

#include "core/error.hpp"
#include "image/samples.hpp"

namespace evd::image::test {
namespace {

// Answers of Pillow 11.3 for formula_image(): resize(size, BOX or BICUBIC, box=the centred part),
// and of an exact area average in NumPy for a step that is no whole number.
constexpr std::string_view kBoxTo6x6 =
    "79897c6f628e819168776a7a897c8c7f8f659b8e817a8a7d9369958e81758a7d7186796da05a6a85796c877b8a"
    "897d8c6f62728d8074887b6f74679399a87f8477878c7f7394887b8d80909bab828d9d909b8f828d80909b7265"
    "7685798a7d8d6592857a6d60728175869689";
constexpr std::string_view kBicubicTo16x16 =
    "2a8ec73ea22853c00968e1327bff4691f95ab35f6dd50c87f52ea9a247c3085cd60079fa2099fa34af6849c304"
    "5cd71f40b29656c93570bb298b9f4ca7bb67b1be8193609d8e349eb0587e83777f258c9b2878bb4f61c4667371"
    "7c8d3c97a3566ce34284ff51a1ad66c02f80e9359de15abb5c68e5177dc03c9c3452c10f61d9397c74539a046a"
    "b3127fce3795f64fae9b7d4fc2a475a67ca0703abe8a468f996f6850a78d35ad87606e3b8c6e35b092648b5f88"
    "5a269871436d936d55b68f73c00883e034a18d56c81175d91a926846b00665db2383b74a9d2d6ac20b86df3a9f"
    "7c5acb0c79d420925849b00566dc28cd2fb37a54e34982bd32b36e47e14271e834af9f51af617e593fbb504d9f"
    "7c7f4d63b15c46c87e6c7e599b514bc37a79ae6dd33290e62ea59669b32a8fe242aee679cd6e9da739ba2a73d2"
    "119092469d1c70c81f97d954a66c7fbc24a1ec4cae499cda4dd172689a4f963c5ad25487e47bbc8672ef4786de"
    "47c87764a24c993d54ce4978e576ab887de34e8ce27abe7837b6a87ab445aa6f53cb1995d93298c36a9a5fa1cf"
    "3fc0c483c26099865d92299dbb3ca4d66fa38078d54c8ad979bd7c78b546ad3e68e42ca0ff53cca6806f51b31d"
    "64ed4693da74d26590a545be326ae93da59873c43a915d5bb41b8eeb4aba896f54722ca0934baabc908a847f49"
    "5a7123a0a65cc5ac7bac6a677977813bb8b25bb78b91975a845b858743a8bd77a08a1b961254cd11918a4eb61d"
    "785633a3036de42faed4649e58912144c60f80f24ebda07bd83fa76c61e5289de35bd968ba3f9a2b847124804a"
    "675634b23074dd27a7b2697d89815071532d92634ad39b8dbc99778b7d586f538a744babae8596c87f9d5db720"
    "647226a4046edd27a8e76bb079a3424c9119841e5dc21298f354bea791704eac18734741af0a7fef43bb69abc9"
    "78e64fa8a45fdb38a5ae69797d9a46885f447939663e3fac4c69a18ba161a08454995066614ca34d65bb8ba683"
    "31c0e184fd70cdc183f75bc1908f5a3fb1089435499806951456d704a0a24cd2279d7c45c819975751e0119ee0"
    "4de360";
constexpr std::string_view kAreaTo16x12 =
    "21869555ba5897a6619269957f7281416db683924d7ec781a35e6d6659a26f7eab6ab36d8fbc59c4458e3e6acf"
    "3a9f92739f3db36e7d5a6a9662aa659751616659a17e8e48865d89827585517d54a2796caa48ad34997075a13f"
    "a92b90406cd1bc3ea3628eba8e9d58a57ca8438b7f93a35da25da58174bd90845aa8627262719e79c243c15f8b"
    "67776a76a340c748916390bc877b6ec3618d75bd78946a977f8e829e58a0897c53a79b715a8695956c5fb95783"
    "66ae308a618d379c73944e5e91685b53628e855c4fb85682798843ac83766d7ca9a0776a61709d946b5e556491"
    "885f52bb58857cc546924cb154b973aa48ad78c07bba5884885f52586894986f626878a4a87f727888b4b88f82"
    "885f52566692986f626676a28b7f725a86b2499185986f9b7c8b465a699592865c7063ac8cb98fa3966d875d89"
    "64ada0ba9084976e615e8a9aae687858855b6f62ab9baa65859488b1877b9b72657165ad5c4f9788b48aab9e75"
    "9e7468885f8b7b8b456575a1ada177988b628b7e8eae6878ab6675a5606f7382af6d7ca88fbc9289b58c579f93"
    "c2998caca076a69970ad8377a67d7090845a8a7d549167938a618d8b7f5592855ca87e72ae8578a79b71aea178"
    "c49a8e58a1948bb78d914b946e7eaa7484b0a76171ad67778a9a5490a05a63906679a57c4d79a6638f4a8d638f"
    "a2796c76a37953b88f60549c76694083766a998c7f89998c9faf697367af507c53b5707f6692a1827569a4988b"
    "6cb4a78e6591729e745b4e97776b419a8d6444719d67934da076a350998ca660708f8292";

Rgb from_hex(std::string_view hex, int width, int height) {
  Rgb image{width, height, std::vector<std::uint8_t>(hex.size() / 2)};
  parse_hex(hex, "answer", image.pixels.data(), image.pixels.size());
  return image;
}

TEST(ResizeCover, ShrinksAsPillowsBox) {
  const Rgb small = resize_cover(formula_image(24, 18), 6, 6);
  EXPECT_LE(largest_difference(small, from_hex(kBoxTo6x6, 6, 6)), 1);
}

TEST(ResizeCover, ShrinksByExactAreas) {
  const Rgb small = resize_cover(formula_image(24, 18), 16, 12);
  EXPECT_LE(largest_difference(small, from_hex(kAreaTo16x12, 16, 12)), 1);
}

TEST(ResizeCover, GrowsAsPillowsBicubic) {
  const Rgb large = resize_cover(formula_image(12, 9), 16, 16);
  // Pillow rounds to bytes between its two passes, we do not.
  EXPECT_LE(largest_difference(large, from_hex(kBicubicTo16x16, 16, 16)), 2);
}

TEST(ResizeCover, SameSizeIsUntouchedAndCropsTakeWholePixels) {
  const Rgb image = formula_image(24, 18);
  EXPECT_EQ(largest_difference(resize_cover(image, 24, 18), image), 0);
  const Rgb middle = resize_cover(image, 17, 18);
  for (int y = 0; y < 18; ++y)
    for (int x = 0; x < 17; ++x)
      EXPECT_EQ(middle.pixels[static_cast<std::size_t>(y * 17 + x) * 3],
                image.pixels[static_cast<std::size_t>(y * 24 + x + 3) * 3]);
}

TEST(ResizeCover, APlainImageStaysPlain) {
  const Rgb plain{200, 130, std::vector<std::uint8_t>(200 * 130 * 3, 93)};
  for (const auto& [width, height] : {std::pair{32, 32}, {7, 90}, {300, 20}, {1, 1}, {512, 512}})
    for (const std::uint8_t level : resize_cover(plain, width, height).pixels)
      ASSERT_EQ(level, 93) << width << "x" << height;
}

TEST(ResizeCover, RefusesEmptySides) {
  EXPECT_THROW((void)resize_cover(formula_image(4, 4), 0, 4), InternalError);
  EXPECT_THROW((void)resize_cover({}, 4, 4), InternalError);
}

}  // namespace
}  // namespace evd::image::test
