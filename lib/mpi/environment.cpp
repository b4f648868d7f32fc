#include <exception>
#include <string>

#include <mpi.h>

#include "core/error.hpp"
#include "mpi/communicator.hpp"

namespace evd::mpi {
namespace {

std::string reason(int code) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) return "error " + std::to_string(code);
  return {text, static_cast<std::size_t>(length)};
}

}  // namespace

void check(int code, std::string_view call, std::source_location where) {
  if (code == MPI_SUCCESS) return;
  throw InternalError(std::string(call) + " in " + where.function_name() + ": " + reason(code));
}

Environment::Environment(int& argc, char**& argv) {
  int provided = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  if (provided < MPI_THREAD_FUNNELED)
    throw ConfigurationError(
        "this MPI library does not allow threads beside the one that calls it "
        "(MPI_THREAD_FUNNELED) use a build with thread support");
}

Environment::~Environment() {
  if (std::uncaught_exceptions() == 0) MPI_Finalize();
}

}  // namespace evd::mpi
