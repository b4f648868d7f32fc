# cmake --install BUILD --prefix PREFIX: programs into bin, what they and Slurm read into share.
# The programs' own install rules stand beside their targets. LibTorch is not copied: evd-train and
# evd-evaluate load it from EVD_TORCH_DIR, an absolute path, which must be there on every node.
set(evd_share ${CMAKE_INSTALL_DATADIR}/evolvedirector)
install(DIRECTORY configs slurm DESTINATION ${evd_share})
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)

# The build directory has the same shape, so that it serves as a prefix without being installed.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/share/evolvedirector)
foreach(folder configs slurm)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder}
    ${PROJECT_BINARY_DIR}/share/evolvedirector/${folder} SYMBOLIC)
endforeach()
