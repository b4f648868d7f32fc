# evd_room(NAME [DEPENDS room...] [LINK target...]): one static library per room, from the sources
# that stand in lib/NAME. A room without sources is an interface.
function(evd_room name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lib/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_gpu\\.cpp$")  # tools/cmake/Cuda.cmake
  list(TRANSFORM ARG_DEPENDS PREPEND evd_)
  if(sources)
    add_library(evd_${name} STATIC ${sources})
    target_include_directories(evd_${name} PUBLIC ${PROJECT_SOURCE_DIR}/lib)
    target_link_libraries(evd_${name} PUBLIC ${ARG_DEPENDS} PRIVATE evd_flags PUBLIC ${ARG_LINK})
    target_compile_definitions(evd_${name} PRIVATE EVD_VERSION="${PROJECT_VERSION}")
  else()
    add_library(evd_${name} INTERFACE)
    target_include_directories(evd_${name} INTERFACE ${PROJECT_SOURCE_DIR}/lib)
    target_link_libraries(evd_${name} INTERFACE ${ARG_DEPENDS} ${ARG_LINK})
  endif()
endfunction()
