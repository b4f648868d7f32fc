#include <climits>
#include <string>

#include "core/error.hpp"
#include "mpi/communicator.hpp"
#include "mpi/handle.hpp"

namespace evd::mpi {
namespace {

void check_tag(int tag) {
  if (tag < 0 || tag > Communicator::kMaxTag)
    throw InternalError("message tag " + std::to_string(tag) + " is out of range");
}

}  // namespace

void Communicator::State::complete_sends() {
  for (auto send = sends.begin(); send != sends.end();) {
    int done = 0;
    check(MPI_Test(&send->request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    send = done != 0 ? sends.erase(send) : std::next(send);
  }
}

void Communicator::send(int destination, int tag, std::span<const std::byte> bytes) {
  check_tag(tag);
  if (bytes.size() > INT_MAX)
    throw InternalError("a message of " + std::to_string(bytes.size()) + " bytes is too long");
  state_->complete_sends();
  auto& send = state_->sends.emplace_back();
  send.bytes.assign(bytes.begin(), bytes.end());
  const int code = MPI_Isend(send.bytes.data(), static_cast<int>(send.bytes.size()), MPI_BYTE,
                             destination, tag, state_->comm, &send.request);
  if (code != MPI_SUCCESS) state_->sends.pop_back();
  check(code, "MPI_Isend");
}

std::optional<Message> Communicator::poll(int tag) {
  check_tag(tag);
  state_->complete_sends();
  int found = 0;
  MPI_Message handle = MPI_MESSAGE_NULL;
  MPI_Status status;
  check(MPI_Improbe(MPI_ANY_SOURCE, tag, state_->comm, &found, &handle, &status), "MPI_Improbe");
  if (found == 0) return std::nullopt;
  int count = 0;
  check(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
  Message message{.source = status.MPI_SOURCE, .tag = status.MPI_TAG, .bytes = {}};
  message.bytes.resize(static_cast<std::size_t>(count));
  check(MPI_Mrecv(message.bytes.data(), count, MPI_BYTE, &handle, MPI_STATUS_IGNORE), "MPI_Mrecv");
  return message;
}

}  // namespace evd::mpi
