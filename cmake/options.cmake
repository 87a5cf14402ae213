# Build options, warnings and sanitizers: the same for every target.
set(VD_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined")
option(VD_COVERAGE "Instrument for gcov" OFF)
option(VD_FUZZ "Build the fuzz targets (clang)" OFF)
option(VD_WERROR "Treat warnings as errors" OFF)

add_compile_options(
  -Wall -Wextra -Wshadow -Wvla -Wundef -Wpointer-arith -Wwrite-strings -Wformat=2
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
  $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
  $<$<COMPILE_LANGUAGE:C>:-Wold-style-definition>
  -ffunction-sections -fdata-sections
  $<$<BOOL:${VD_WERROR}>:-Werror>
  $<$<CONFIG:RelWithDebInfo>:-O2>)
add_compile_definitions(_GNU_SOURCE $<$<CONFIG:Debug>:VD_DEBUG=1>)

if(VD_SANITIZE)
  add_compile_options(-fsanitize=${VD_SANITIZE} -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=${VD_SANITIZE})
  # Two hundred programs with all of their debug information: three times as fast, where it is there.
  include(CheckLinkerFlag)
  check_linker_flag(C -fuse-ld=gold VD_HAVE_GOLD)
  if(VD_HAVE_GOLD)
    add_link_options(-fuse-ld=gold)
  endif()
  if(VD_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
# libFuzzer's counters in all that a fuzz target links; with them what would otherwise pass unseen.
if(VD_FUZZ)
  set(checks fuzzer-no-link,address,undefined,float-cast-overflow)
  add_compile_options(-fsanitize=${checks} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=${checks})
endif()
if(VD_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

find_program(VD_CCACHE ccache)
if(VD_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${VD_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${VD_CCACHE})
endif()
