#include <algorithm>
#include <climits>
#include <string>

#include "core/error.hpp"
#include "mpi/communicator.hpp"
#include "mpi/handle.hpp"

namespace evd::mpi {
namespace {

// MPI 3 counts in int: longer buffers go in pieces, at the same places on every rank.
constexpr std::size_t kPiece = std::size_t{1} << 30;
constexpr int kGatherTag = Communicator::kMaxTag + 1;

template <class T, class Call>
void in_pieces(std::span<T> values, Call call) {
  for (std::size_t begin = 0; begin < values.size(); begin += kPiece) {
    const auto piece = values.subspan(begin, std::min(kPiece, values.size() - begin));
    call(piece.data(), static_cast<int>(piece.size()));
  }
}

MPI_Op operation(Reduce op) {
  switch (op) {
    case Reduce::sum:
      return MPI_SUM;
    case Reduce::max:
      return MPI_MAX;
    case Reduce::min:
      return MPI_MIN;
  }
  throw InternalError("unknown reduction");
}

void send_all(std::span<const std::byte> bytes, int root, MPI_Comm comm) {
  in_pieces(bytes, [&](const std::byte* data, int count) {
    check(MPI_Send(data, count, MPI_BYTE, root, kGatherTag, comm), "MPI_Send");
  });
}

void receive_all(std::span<std::byte> bytes, int source, MPI_Comm comm) {
  in_pieces(bytes, [&](std::byte* data, int count) {
    check(MPI_Recv(data, count, MPI_BYTE, source, kGatherTag, comm, MPI_STATUS_IGNORE), "MPI_Recv");
  });
}

}  // namespace

void Communicator::barrier() const { check(MPI_Barrier(state_->comm), "MPI_Barrier"); }

void Communicator::broadcast(std::span<std::byte> bytes, int root) const {
  in_pieces(bytes, [&](std::byte* data, int count) {
    check(MPI_Bcast(data, count, MPI_BYTE, root, state_->comm), "MPI_Bcast");
  });
}

std::string Communicator::broadcast(std::string text, int root) const {
  std::uint64_t size = text.size();
  broadcast(std::as_writable_bytes(std::span(&size, 1)), root);
  text.resize(size);
  broadcast(std::as_writable_bytes(std::span(text)), root);
  return text;
}

double Communicator::all_reduce(double value, Reduce op) const {
  check(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, operation(op), state_->comm),
        "MPI_Allreduce");
  return value;
}

std::int64_t Communicator::all_reduce(std::int64_t value, Reduce op) const {
  check(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT64_T, operation(op), state_->comm),
        "MPI_Allreduce");
  return value;
}

Request Communicator::start_all_reduce_sum(std::span<float> values) const {
  if (values.size() > INT_MAX)
    throw InternalError("a reduction of " + std::to_string(values.size()) +
                        " values was started at once: use smaller buckets");
  auto request = std::make_unique<Request::State>();
  check(MPI_Iallreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_FLOAT,
                       MPI_SUM, state_->comm, &request->request),
        "MPI_Iallreduce");
  return Request(std::move(request));
}

std::vector<std::vector<std::byte>> Communicator::gather(std::span<const std::byte> bytes,
                                                         int root) const {
  const auto own_size = static_cast<std::uint64_t>(bytes.size());
  std::vector<std::uint64_t> sizes(rank() == root ? static_cast<std::size_t>(size()) : 0);
  check(MPI_Gather(&own_size, 1, MPI_UINT64_T, sizes.data(), 1, MPI_UINT64_T, root, state_->comm),
        "MPI_Gather");
  if (rank() != root) {
    send_all(bytes, root, state_->comm);
    return {};
  }
  std::vector<std::vector<std::byte>> parts(sizes.size());
  for (std::size_t source = 0; source < parts.size(); ++source) {
    if (static_cast<int>(source) == root) {
      parts[source].assign(bytes.begin(), bytes.end());
      continue;
    }
    parts[source].resize(sizes[source]);
    receive_all(parts[source], static_cast<int>(source), state_->comm);
  }
  return parts;
}

}  // namespace evd::mpi
