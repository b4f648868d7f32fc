# The code for cards: lib/*/*_gpu.cpp and lib/*/*.cu, as objects that a program is linked with in
# place of the rooms' *absent.cpp. All else is the same with and without cards, and compiled once.
# EVD_CUDA asks for programs that use cards; where the toolkit is there, tests compile and link them
# besides. Programs built without need neither toolkit nor card.
set(EVD_TORCH_CUDA_DIR "${evd_deps}/libtorch-cuda-2.11.0" CACHE PATH
    "Directory that holds torch/ and nvidia/ from the wheels, with CUDA (tools/setup --gpu makes it)")
set(EVD_CUDA_ARCHITECTURES "80;90" CACHE STRING
    "Compute capabilities that the optimizer's kernel is compiled for; later cards compile it anew")

# The cards' compiler and libraries; sets evd_has_gpu_code.
function(_evd_find_gpu)
  set(evd_has_gpu_code FALSE PARENT_SCOPE)
  if(EVD_CUDA)
    find_package(CUDAToolkit 13.0 REQUIRED)
    message(STATUS "CUDA toolkit ${CUDAToolkit_VERSION}: ${CUDAToolkit_NVCC_EXECUTABLE}")
    set(EVD_NVCC "${CUDAToolkit_NVCC_EXECUTABLE}" CACHE FILEPATH "Compiler of the code for cards")
  elseif(BUILD_TESTING)
    find_program(EVD_NVCC nvcc PATHS /usr/local/cuda/bin)
    if(EVD_NVCC)
      execute_process(COMMAND ${EVD_NVCC} --version OUTPUT_VARIABLE version ERROR_QUIET)
      if(NOT version MATCHES "release ([0-9]+)" OR CMAKE_MATCH_1 LESS 13)
        message(STATUS "${EVD_NVCC} is older than 13.0: the code for cards is not compiled")
        return()
      endif()
    endif()
  endif()
  set(dir ${EVD_TORCH_CUDA_DIR})
  if(NOT EXISTS ${dir}/torch/lib/libtorch_cuda.so AND NOT EVD_CUDA)
    # That of the tests' Python is the same one.
    file(GLOB dir ${evd_deps}/test-torch-python/lib/python3.*/site-packages)
  endif()
  if(EXISTS "${dir}/torch/lib/libtorch_cuda.so" AND EVD_NVCC)
    set(evd_has_gpu_code TRUE PARENT_SCOPE)
    set(evd_gpu_dir ${dir} PARENT_SCOPE)
  elseif(EVD_CUDA)
    message(FATAL_ERROR "LibTorch with CUDA is not in ${EVD_TORCH_CUDA_DIR}: run tools/setup --gpu, "
      "or set EVD_TORCH_CUDA_DIR")
  elseif(BUILD_TESTING)
    message(STATUS "the code for cards is not compiled: it takes nvcc (${EVD_NVCC}) and LibTorch with "
      "CUDA (tools/setup --gpu)")
  endif()
endfunction()
_evd_find_gpu()
if(NOT evd_has_gpu_code)
  return()
endif()

file(GLOB gpu_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lib/*/*_gpu.cpp)
add_library(evd_gpu_objects OBJECT ${gpu_sources})
target_include_directories(evd_gpu_objects PRIVATE ${PROJECT_SOURCE_DIR}/lib)
target_include_directories(evd_gpu_objects SYSTEM PRIVATE
  ${evd_gpu_dir}/nvidia/cu13/include ${evd_gpu_dir}/nvidia/nccl/include)
target_link_libraries(evd_gpu_objects PRIVATE evd_flags)

# Not as a language of CMake's: its version here knows no C++20 of nvcc's.
set(nvcc_flags -std=c++20 -O3 -fmad=false -Xcompiler -fPIC,-Wall -ccbin ${CMAKE_CXX_COMPILER})
foreach(architecture ${EVD_CUDA_ARCHITECTURES})
  list(APPEND nvcc_flags -gencode arch=compute_${architecture},code=sm_${architecture})
  set(newest ${architecture})
endforeach()
list(APPEND nvcc_flags -gencode arch=compute_${newest},code=compute_${newest})
file(GLOB kernels CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lib/*/*.cu)
foreach(kernel ${kernels})
  get_filename_component(name ${kernel} NAME_WE)
  set(object ${PROJECT_BINARY_DIR}/gpu/${name}.o)
  add_custom_command(OUTPUT ${object} DEPENDS ${kernel} DEPFILE ${object}.d
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/gpu
    COMMAND ${EVD_NVCC} ${nvcc_flags} -I${PROJECT_SOURCE_DIR}/lib -MD -MF ${object}.d -c ${kernel}
            -o ${object}
    COMMENT "Compiling ${name}.cu for cards" VERBATIM)
  list(APPEND kernel_objects ${object})
endforeach()
add_custom_target(evd_gpu_kernels DEPENDS ${kernel_objects})

add_library(evd_gpu INTERFACE)
# LibTorch's operators for cards make themselves known when they are loaded: nothing names them.
target_link_libraries(evd_gpu INTERFACE ${kernel_objects} $<TARGET_OBJECTS:evd_gpu_objects>
  evd_nccl evd_cuda
  -Wl,--push-state,--no-as-needed ${evd_gpu_dir}/torch/lib/libtorch_cuda.so
  ${evd_gpu_dir}/torch/lib/libc10_cuda.so -Wl,--pop-state
  ${evd_gpu_dir}/nvidia/nccl/lib/libnccl.so.2 ${evd_gpu_dir}/nvidia/cu13/lib/libcudart.so.13)
target_link_options(evd_gpu INTERFACE -Wl,-rpath,${evd_gpu_dir}/torch/lib
  -Wl,--allow-shlib-undefined)

# evd_on_cards(PROGRAM): links a program with the code for cards.
function(evd_on_cards program)
  add_dependencies(${program} evd_gpu_kernels evd_gpu_objects)
  target_link_libraries(${program} PRIVATE evd_gpu)
endfunction()
