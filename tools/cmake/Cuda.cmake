# EVD_CUDA asks for the GPU code: lib/*/*.cu, compiled with the toolkit's nvcc. Programs that are
# built without it need neither toolkit nor card.
if(EVD_CUDA)
  find_package(CUDAToolkit REQUIRED)
  message(STATUS "CUDA toolkit ${CUDAToolkit_VERSION}: ${CUDAToolkit_NVCC_EXECUTABLE}")
  file(GLOB cuda_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lib/*/*.cu)
  if(NOT cuda_sources)
    message(WARNING "EVD_CUDA is on, but this version has no GPU code yet (no lib/*/*.cu): the "
      "programs are the same as without it and run on the CPU.")
  endif()
endif()
