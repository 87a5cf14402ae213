# Writes OUT with the commit that is checked out in SOURCE, when it changed. Run at every build.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty OUTPUT_VARIABLE commit ERROR_QUIET
  OUTPUT_STRIP_TRAILING_WHITESPACE)
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define VD_COMMIT \"@commit@\"\n" @ONLY)
