# Writes OUTPUT, which defines what src/app/revision.h declares. The file stays untouched if nothing changed.
cmake_minimum_required(VERSION 3.25)
if(NOT REVISION)
  execute_process(COMMAND ${SOURCE_DIR}/deploy/revision OUTPUT_VARIABLE REVISION OUTPUT_STRIP_TRAILING_WHITESPACE
                  RESULT_VARIABLE failed ERROR_QUIET)
  if(failed)
    set(REVISION unknown)
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#include \"revision.h\"\n\nconst char revision[] = \"@REVISION@\";\n" @ONLY)
