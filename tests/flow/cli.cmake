foreach(part cli cli_media cli_shared demo evaluate evaluate_shared models_shared track track_scene track_shared)
  add_test(NAME flow.${part} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/${part}.py $<TARGET_FILE:vedette-cli>
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(flow.${part} PROPERTIES LABELS flow TIMEOUT 900)
endforeach()
foreach(part cli_shared models_shared track_scene)
  set_tests_properties(flow.${part} PROPERTIES COST 50)
endforeach()

# Figures, and the commands behind them run under sanitizers elsewhere (evaluate, cli_shared, track).
set_tests_properties(flow.track_scene flow.evaluate_shared PROPERTIES LABELS "flow;plain")
set_property(TEST flow.models_shared flow.track_shared APPEND PROPERTY LABELS no-tsan)
