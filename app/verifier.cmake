# One worker of stage 2; whoever verifies looks for it beside itself.
add_executable(vedette-verifier verifier.c)
target_link_libraries(vedette-verifier PRIVATE vd_verify_worker)
install(TARGETS vedette-verifier RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
