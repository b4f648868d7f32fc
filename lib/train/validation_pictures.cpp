#include "train/validation_pictures.hpp"

#include <algorithm>
#include <cmath>

#include "image/image.hpp"
#include "image/sheet.hpp"

namespace evd::train {

Sheet ValidationPictures::draw(std::span<const float> weights,
                               const std::vector<float>& null_text) const {
  const auto rank = static_cast<std::size_t>(world_.rank());
  const auto ranks = static_cast<std::size_t>(world_.size());
  const auto count = setup_.requests.size();
  std::vector<nn::RenderRequest> wanted;
  for (std::size_t i = rank; i < count; i += ranks) wanted.push_back(setup_.requests[i]);
  std::vector<std::uint8_t> own;
  if (!wanted.empty()) {
    nn::Encoders encoders{setup_.texts, nullptr, setup_.null_text};
    if (setup_.open_codec) encoders.latents = setup_.open_codec();
    const nn::Generator generator(weights, null_text, setup_.network, setup_.diffusion, encoders);
    auto sampler = setup_.sampler;
    sampler.batch = std::min(sampler.batch, static_cast<int>(wanted.size()));
    for (const auto& picture : generator.render(wanted, sampler, setup_.seed)) {
      own.insert(own.end(), picture.begin(), picture.end());
    }
  }
  const auto all = world_.gather(std::as_bytes(std::span(own)), 0);
  if (world_.rank() != 0) return {};
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
  return {sheet.width, sheet.height, image::encode_png(sheet)};
}

}  // namespace evd::train
