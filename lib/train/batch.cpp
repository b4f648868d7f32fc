#include "train/batch.hpp"

#include "core/random.hpp"

namespace evd::train {

Part Part::slice(std::size_t begin, std::size_t end) const {
  // Everything has as many values a sample as it has in the whole.
  const auto cut = [&](const auto& values) {
    const auto each = static_cast<std::ptrdiff_t>(values.size() / size());
    return std::remove_cvref_t<decltype(values)>(
        values.begin() + each * static_cast<std::ptrdiff_t>(begin),
        values.begin() + each * static_cast<std::ptrdiff_t>(end));
  };
  return {cut(ids), cut(pictures), cut(noise), cut(timesteps), cut(texts), cut(captions)};
}

Part make_part(const Noising& noising, std::span<const Entry> entries, std::vector<float> pictures,
               nn::TextEncoder& encoder) {
  Part part;
  part.pictures = std::move(pictures);
  part.noise.resize(part.pictures.size());
  const std::size_t values = entries.empty() ? 0 : part.pictures.size() / entries.size();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& entry = entries[i];
    const auto draw = [&](Purpose purpose) {
      return Random(noising.seed, purpose, entry.id.low64(), entry.number);
    };
    part.ids.push_back(entry.id);
    part.timesteps.push_back(static_cast<int>(
        draw(Purpose::timestep).below(static_cast<std::uint64_t>(noising.timesteps))));
    draw(Purpose::noise).fill_normal(std::span(part.noise).subspan(i * values, values));
    const bool drop = draw(Purpose::caption_drop).uniform() < noising.caption_drop;
    part.captions.push_back(drop ? nn::Caption::dropped : nn::Caption::kept);
    part.texts.push_back(encoder.encode(entry.prompt));
  }
  return part;
}

}  // namespace evd::train
