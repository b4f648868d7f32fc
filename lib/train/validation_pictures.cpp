#include "train/validation_pictures.hpp"

#include <algorithm>
#include <cmath>

#include "image/image.hpp"
#include "image/sheet.hpp"

namespace evd::train {

std::vector<std::uint8_t> ValidationPictures::drawn(const nn::Generator& generator,
                                                    std::span<const nn::RenderRequest> turn) const {
  auto sampler = setup_.sampler;
  sampler.batch = 1;
  std::vector<std::uint8_t> bytes;
  for (const auto& picture : generator.render(turn, sampler, setup_.seed)) {
    bytes.insert(bytes.end(), picture.begin(), picture.end());
  }
  return bytes;
}

std::optional<Sheet> ValidationPictures::draw(const at::Tensor& weights,
                                              const std::vector<float>& null_text,
                                              const std::function<bool()>& goes_on) const {
  const auto rank = static_cast<std::size_t>(world_.rank());
  const auto ranks = static_cast<std::size_t>(world_.size());
  const auto count = setup_.requests.size();
  std::vector<nn::RenderRequest> wanted;
  for (std::size_t i = rank; i < count; i += ranks) wanted.push_back(setup_.requests[i]);
  std::optional<nn::Generator> generator;
  if (!wanted.empty()) {
    nn::Encoders encoders{setup_.texts, nullptr, setup_.null_text};
    if (setup_.open_codec) encoders.latents = setup_.open_codec();
    generator.emplace(weights, null_text, setup_.network, setup_.diffusion, std::move(encoders));
  }
  const auto most_of_a_rank = (count + ranks - 1) / ranks;
  const auto threads = static_cast<std::size_t>(setup_.threads);
  std::vector<std::uint8_t> own;
  for (std::size_t begin = 0; begin < most_of_a_rank; begin += threads) {
    if (!goes_on()) return std::nullopt;
    if (begin >= wanted.size()) continue;
    const auto turn = drawn(
        *generator, std::span(wanted).subspan(begin, std::min(threads, wanted.size() - begin)));
    own.insert(own.end(), turn.begin(), turn.end());
  }
  generator.reset();
  const auto all = world_.gather(std::as_bytes(std::span(own)), 0);
  if (world_.rank() != 0) return Sheet{};
  const int side = setup_.side_px;
  const auto bytes = static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3;
  std::vector<image::Rgb> cells;
  for (std::size_t i = 0; i < count; ++i) {
    const auto* begin =
        reinterpret_cast<const std::uint8_t*>(all[i % ranks].data()) + i / ranks * bytes;
    cells.push_back({side, side, {begin, begin + bytes}});
  }
  const int columns = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(count))));
  const image::Rgb sheet = image::contact_sheet(cells, columns);
  return Sheet{sheet.width, sheet.height, image::encode_png(sheet)};
}

}  // namespace evd::train
