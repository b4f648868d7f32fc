# LibTorch from the wheel, linked without find_package(Torch): that one wants the CUDA toolkit.
# evd_torch is the CPU part only.
set(evd_deps "$ENV{HOME}/.cache/evolvedirector")
if(DEFINED ENV{EVD_DEPS})
  get_filename_component(evd_deps "$ENV{EVD_DEPS}" ABSOLUTE BASE_DIR "$ENV{PWD}")
endif()
set(EVD_TORCH_DIR "${evd_deps}/libtorch-2.11.0" CACHE PATH
    "Directory that holds torch/ and nvidia/ from the wheels (tools/setup makes it)")
if(NOT EXISTS ${EVD_TORCH_DIR}/torch/lib/libtorch_cpu.so)
  message(FATAL_ERROR "LibTorch is not in ${EVD_TORCH_DIR}: run tools/setup, or set EVD_TORCH_DIR")
endif()
set(torch_lib ${EVD_TORCH_DIR}/torch/lib)
add_library(evd_torch INTERFACE)
target_include_directories(evd_torch SYSTEM INTERFACE
  ${EVD_TORCH_DIR}/torch/include ${EVD_TORCH_DIR}/torch/include/torch/csrc/api/include)
target_link_libraries(evd_torch INTERFACE ${torch_lib}/libtorch_cpu.so ${torch_lib}/libc10.so)
# libtorch_cpu.so names CUDA's runtime and profiler; it finds the wheels' by its own run path.
target_link_options(evd_torch INTERFACE
  -Wl,-rpath-link,${torch_lib} -Wl,-rpath-link,${EVD_TORCH_DIR}/nvidia/cu13/lib
  -Wl,--allow-shlib-undefined)
