# Python of the tests that run other people's readers and clients (tools/setup --tests makes it).
set(EVD_TEST_PYTHON "${evd_deps}/test-python/bin/python" CACHE FILEPATH "Python with the tests' packages")
set(EVD_TEST_TORCH_PYTHON "${evd_deps}/test-torch-python/bin/python" CACHE FILEPATH "Python with PyTorch and diffusers")
foreach(python ${EVD_TEST_PYTHON} ${EVD_TEST_TORCH_PYTHON})
  if(NOT EXISTS ${python})
    message(FATAL_ERROR "${python} is not there: run tools/setup --tests, or configure with "
      "-DBUILD_TESTING=OFF")
  endif()
endforeach()

# GoogleTest exits 0 when a filter or an empty file runs nothing, and when tests are skipped: both
# are failures here. Only tests with the label gpu may skip, and ctest then shows them as skipped.
set(evd_no_test_ran "Running 0 tests")
set(evd_test_skipped "\\[  SKIPPED \\]")

# Tests run side by side, and programs whose threads wait for each other by spinning stand in each
# other's way: 70 times as slow was seen. So each has as many threads as ctest counts for it.
function(_evd_one_thread test)
  set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT_MODIFICATION OMP_NUM_THREADS=set:1)
endfunction()

# What a test compares must not depend on the machine: only tests with the label gpu see its cards.
function(_evd_no_cards test)
  set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT_MODIFICATION CUDA_VISIBLE_DEVICES=set:-1)
endfunction()

# Open MPI leaks on purpose: in a sanitizer build, tests that start it do not look for leaks.
function(_evd_no_leak_check test)
  if(EVD_SANITIZE MATCHES address)
    set_tests_properties(${test} PROPERTIES ENVIRONMENT "ASAN_OPTIONS=detect_leaks=0")
  endif()
endfunction()

# evd_test(NAME SOURCES file... ROOMS room... [LABEL unit...] [TIMEOUT 300] [PROCESSORS n]): a
# GoogleTest program, one ctest entry. evd_mpi_test(... RANKS 1 2 4): one entry per rank count, started by mpirun.
function(_evd_test_program name)
  cmake_parse_arguments(ARG "" "MAIN" "SOURCES;ROOMS;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  list(TRANSFORM ARG_ROOMS PREPEND evd_)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${ARG_ROOMS} ${ARG_LINK} ${ARG_MAIN} GTest::gtest evd_flags)
endfunction()

function(evd_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;PROCESSORS" "SOURCES;ROOMS;LINK;LABEL" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  _evd_test_program(${name} SOURCES ${ARG_SOURCES} ROOMS ${ARG_ROOMS} LINK ${ARG_LINK} MAIN GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT})
  if(NOT ARG_LABEL MATCHES unit)
    _evd_no_leak_check(${name})
  endif()
  if(NOT ARG_PROCESSORS AND ARG_LABEL MATCHES "mpi|e2e|^fault$")
    set(ARG_PROCESSORS 2)  # they start programs with two ranks and more
  endif()
  if(ARG_PROCESSORS)
    set_tests_properties(${name} PROPERTIES PROCESSORS ${ARG_PROCESSORS})
  else()
    _evd_one_thread(${name})
  endif()
  if(ARG_LABEL STREQUAL gpu)
    set_tests_properties(${name} PROPERTIES FAIL_REGULAR_EXPRESSION "${evd_no_test_ran}"
      SKIP_REGULAR_EXPRESSION "${evd_test_skipped}")
  else()
    _evd_no_cards(${name})
    set_tests_properties(${name} PROPERTIES
      FAIL_REGULAR_EXPRESSION "${evd_no_test_ran};${evd_test_skipped}")
  endif()
endfunction()

function(evd_mpi_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;ROOMS;LINK;RANKS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  _evd_test_program(${name} SOURCES ${ARG_SOURCES} ROOMS mpi ${ARG_ROOMS} LINK ${ARG_LINK} MAIN evd_mpi_test_main)
  foreach(ranks ${ARG_RANKS})
    add_test(NAME ${name}_np${ranks}
      COMMAND ${MPIEXEC_EXECUTABLE} --allow-run-as-root --oversubscribe -n ${ranks} $<TARGET_FILE:${name}>)
    set_tests_properties(${name}_np${ranks} PROPERTIES LABELS mpi TIMEOUT ${ARG_TIMEOUT}
      PROCESSORS ${ranks} FAIL_REGULAR_EXPRESSION "${evd_no_test_ran};${evd_test_skipped}")
    _evd_one_thread(${name}_np${ranks})
    _evd_no_cards(${name}_np${ranks})
    _evd_no_leak_check(${name}_np${ranks})
  endforeach()
endfunction()

# evd_gpu_test(NAME SOURCES file... ROOMS room... RANKS 1 2): a program with the code for cards, with
# EVD_ON_CARDS defined, label gpu; skipped where there is no card. Nothing where that code is not
# compiled.
function(evd_gpu_test name)
  if(NOT evd_has_gpu_code)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;ROOMS;LINK;RANKS" ${ARGN})
  _evd_test_program(${name} SOURCES ${ARG_SOURCES} ROOMS mpi ${ARG_ROOMS} LINK ${ARG_LINK} MAIN evd_mpi_test_main)
  target_compile_definitions(${name} PRIVATE EVD_ON_CARDS)
  evd_on_cards(${name})
  foreach(ranks ${ARG_RANKS})
    add_test(NAME ${name}_np${ranks}
      COMMAND ${MPIEXEC_EXECUTABLE} --allow-run-as-root --oversubscribe -n ${ranks} $<TARGET_FILE:${name}>)
    set_tests_properties(${name}_np${ranks} PROPERTIES LABELS gpu TIMEOUT 300 PROCESSORS ${ranks}
      FAIL_REGULAR_EXPRESSION "${evd_no_test_ran}" SKIP_REGULAR_EXPRESSION "${evd_test_skipped}")
    _evd_one_thread(${name}_np${ranks})
  endforeach()
endfunction()

# evd_slurm_test(NAME SOURCES file... CASES Suite.Test... [TIMEOUT 600]): each case in a Slurm of its
# own with two nodes, which tests/slurm/with_cluster.sh starts and ends.
function(evd_slurm_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;ROOMS;LINK;CASES" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 600)
  endif()
  _evd_test_program(${name} SOURCES ${ARG_SOURCES} ROOMS ${ARG_ROOMS} LINK ${ARG_LINK} MAIN GTest::gtest_main)
  foreach(case ${ARG_CASES})
    add_test(NAME slurm_${case}
      COMMAND ${PROJECT_SOURCE_DIR}/tests/slurm/with_cluster.sh $<TARGET_FILE:${name}> --gtest_filter=${case})
    set_tests_properties(slurm_${case} PROPERTIES LABELS slurm TIMEOUT ${ARG_TIMEOUT} PROCESSORS 2
      FAIL_REGULAR_EXPRESSION "${evd_no_test_ran};${evd_test_skipped}")
    _evd_no_cards(slurm_${case})
    _evd_no_leak_check(slurm_${case})
  endforeach()
endfunction()
