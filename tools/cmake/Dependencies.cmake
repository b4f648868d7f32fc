# Foreign packages, each as one imported target. Versions: tools/setup.
find_package(PkgConfig REQUIRED)
find_package(MPI REQUIRED COMPONENTS CXX)
find_package(CURL REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(Threads REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(DEFLATE REQUIRED IMPORTED_TARGET libdeflate)
pkg_check_modules(WEBP REQUIRED IMPORTED_TARGET libwebp)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(CAIRO REQUIRED IMPORTED_TARGET cairo)
# Its pkg-config file asks for the training library too, which nothing here uses.
find_library(EVD_SENTENCEPIECE sentencepiece REQUIRED)
# Debian installs a serial and an Open MPI build side by side: the serial one has its own file.
pkg_check_modules(HDF5 REQUIRED IMPORTED_TARGET hdf5-serial)

# Open MPI 4.1's mpi.h pulls in its old C++ bindings, which warn.
add_library(evd_mpi_flags INTERFACE)
target_compile_definitions(evd_mpi_flags INTERFACE OMPI_SKIP_MPICXX=1 MPICH_SKIP_MPICXX=1)
target_link_libraries(evd_mpi_flags INTERFACE MPI::MPI_CXX)

include(Torch)
