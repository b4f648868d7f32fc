#include "evaluate/entries.hpp"

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"

namespace evd::evaluate {
namespace {

// One line an entry; file names hold no tab.
std::string pack(std::span<const shard::FileEntry> entries) {
  std::string text;
  for (const auto& entry : entries)
    text += entry.name + '\t' + entry.table + '\t' + std::to_string(entry.rows) + '\t' +
            std::to_string(entry.bytes) + '\t' + entry.sha256.hex() + '\t' + entry.content.hex() +
            '\n';
  return text;
}

shard::FileEntry unpack(std::string_view line) {
  const auto fields = split(line, '\t');
  if (fields.size() != 6) throw InternalError("a rank sent a malformed file entry");
  return {fields[0],
          fields[1],
          std::stoll(fields[2]),
          std::stoll(fields[3]),
          Sha256::parse(fields[4]),
          Sha256::parse(fields[5])};
}

}  // namespace

std::vector<shard::FileEntry> gather_entries(std::span<const shard::FileEntry> own,
                                             const mpi::Communicator& world) {
  std::vector<shard::FileEntry> all;
  for (const auto& bytes : world.gather(as_bytes(pack(own)), 0)) {
    const std::string text(static_cast<const char*>(static_cast<const void*>(bytes.data())),
                           bytes.size());
    for (const auto& line : split(text, '\n'))
      if (!line.empty()) all.push_back(unpack(line));
  }
  return all;
}

}  // namespace evd::evaluate
