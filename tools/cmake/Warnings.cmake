# evd_flags: the compile flags of our own targets.
add_library(evd_flags INTERFACE)
target_compile_options(evd_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Wno-missing-field-initializers)
# GCC 12 sees overlap in `"text" + std::string` at -O3 where none is (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(evd_flags INTERFACE -Wno-restrict)
endif()
if(EVD_WARNINGS_AS_ERRORS)
  target_compile_options(evd_flags INTERFACE -Werror)
endif()
if(EVD_SANITIZE)
  target_compile_options(evd_flags INTERFACE -fsanitize=${EVD_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(evd_flags INTERFACE -fsanitize=${EVD_SANITIZE})
endif()
# Programs need only what they use: harvest, judge and evd must not load torch or CUDA.
target_link_options(evd_flags INTERFACE -Wl,--as-needed)

find_program(EVD_MOLD mold)
if(EVD_MOLD)
  target_link_options(evd_flags INTERFACE -fuse-ld=mold)
endif()
find_program(EVD_CCACHE ccache)
if(EVD_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${EVD_CCACHE})
endif()
