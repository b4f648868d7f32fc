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

int as_count(std::size_t size) {
  if (size > INT_MAX) {
    throw InternalError("a message of " + std::to_string(size) +
                        " values was given to MPI at once: cut it");
  }
  return static_cast<int>(size);
}

std::vector<int> places_of(std::span<const int> counts) {
  std::vector<int> places;
  std::size_t place = 0;
  for (const int count : counts) {
    places.push_back(as_count(place));
    place += static_cast<std::size_t>(count);
  }
  static_cast<void>(as_count(place));
  return places;
}

void check_cut(std::size_t size, std::span<const int> counts, int ranks) {
  std::size_t sum = 0;
  for (const int count : counts) sum += static_cast<std::size_t>(count);
  if (counts.size() != static_cast<std::size_t>(ranks) || sum != size) {
    throw InternalError("a buffer of " + std::to_string(size) + " values was cut into " +
                        std::to_string(counts.size()) + " parts of " + std::to_string(sum));
  }
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

void Communicator::all_reduce(std::span<double> values, Reduce op) const {
  // One rank adds and tells the others: the standard does not promise equal bits on all ranks.
  if (rank() == 0) {
    check(MPI_Reduce(MPI_IN_PLACE, values.data(), as_count(values.size()), MPI_DOUBLE,
                     operation(op), 0, state_->comm),
          "MPI_Reduce");
  } else {
    check(MPI_Reduce(values.data(), nullptr, as_count(values.size()), MPI_DOUBLE, operation(op), 0,
                     state_->comm),
          "MPI_Reduce");
  }
  broadcast(std::as_writable_bytes(values), 0);
}

Request Communicator::start_reduce_scatter_sum(std::span<const float> values,
                                               std::span<const int> counts,
                                               std::span<float> own) const {
  check_cut(values.size(), counts, size());
  auto request = std::make_unique<Request::State>();
  request->counts.assign(counts.begin(), counts.end());
  check(MPI_Ireduce_scatter(values.data(), own.data(), request->counts.data(), MPI_FLOAT, MPI_SUM,
                            state_->comm, &request->request),
        "MPI_Ireduce_scatter");
  return Request(std::move(request));
}

Request Communicator::start_all_gather(std::span<float> values, std::span<const int> counts) const {
  check_cut(values.size(), counts, size());
  auto request = std::make_unique<Request::State>();
  request->counts.assign(counts.begin(), counts.end());
  request->places = places_of(counts);
  check(MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_FLOAT, values.data(), request->counts.data(),
                        request->places.data(), MPI_FLOAT, state_->comm, &request->request),
        "MPI_Iallgatherv");
  return Request(std::move(request));
}

std::vector<std::vector<float>> Communicator::all_to_all(
    std::span<const std::vector<float>> to) const {
  if (to.size() != static_cast<std::size_t>(size())) {
    throw InternalError("all_to_all: " + std::to_string(to.size()) + " messages for " +
                        std::to_string(size()) + " ranks");
  }
  std::vector<int> sent;
  std::vector<float> out;
  for (const auto& message : to) {
    sent.push_back(as_count(message.size()));
    out.insert(out.end(), message.begin(), message.end());
  }
  std::vector<int> received(to.size());
  check(MPI_Alltoall(sent.data(), 1, MPI_INT, received.data(), 1, MPI_INT, state_->comm),
        "MPI_Alltoall");
  const auto sent_places = places_of(sent);
  const auto places = places_of(received);
  std::vector<float> in(static_cast<std::size_t>(places.back()) +
                        static_cast<std::size_t>(received.back()));
  check(MPI_Alltoallv(out.data(), sent.data(), sent_places.data(), MPI_FLOAT, in.data(),
                      received.data(), places.data(), MPI_FLOAT, state_->comm),
        "MPI_Alltoallv");
  std::vector<std::vector<float>> from;
  for (std::size_t rank = 0; rank < received.size(); ++rank) {
    const auto begin = in.begin() + places[rank];
    from.emplace_back(begin, begin + received[rank]);
  }
  return from;
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
