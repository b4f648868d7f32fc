# cmake --install BUILD --prefix PREFIX: programs into bin, what they and Slurm read into share.
# The programs' own install rules stand beside their targets. LibTorch is not copied: evd-train and
# evd-evaluate load it from EVD_TORCH_DIR, an absolute path, which must be there on every node.
set(evd_share ${CMAKE_INSTALL_DATADIR}/evolvedirector)
install(DIRECTORY configs slurm DESTINATION ${evd_share})
install(FILES LICENSE README.md lib/shard/FORMAT.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# A prefix for all, and LibTorch where only its owner may look: the others' evd-train would not start.
file(REAL_PATH "${EVD_TORCH_DIR}" evd_torch_place)
set(evd_torch_is_private OFF)
if(NOT "$ENV{HOME}" MATCHES "^/?$")
  file(REAL_PATH "$ENV{HOME}" evd_home)
  cmake_path(IS_PREFIX evd_home "${evd_torch_place}" evd_torch_is_private)
endif()
if(evd_torch_is_private)
  install(CODE "
    set(home [[${evd_home}]])
    cmake_path(IS_PREFIX home \"\${CMAKE_INSTALL_PREFIX}\" NORMALIZE stays_in_home)
    if(NOT stays_in_home)
      message(WARNING \"evd-train and evd-evaluate load LibTorch from ${evd_torch_place}, which lies \"
        \"in a home directory: others can hardly read it. For a shared prefix, export EVD_DEPS=<a \"
        \"shared place>, then run tools/setup and configure a new build directory.\")
    endif()")
endif()

# The build directory has the same shape, so that it serves as a prefix without being installed.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/share/evolvedirector)
foreach(folder configs slurm)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder}
    ${PROJECT_BINARY_DIR}/share/evolvedirector/${folder} SYMBOLIC)
endforeach()
