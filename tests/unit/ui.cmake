# Those parts of the window that need no display.
vd_test(ui_words MODULES ui pipeline)
vd_test(ui_words_events MODULES ui pipeline)
vd_test(ui_event_list MODULES ui pipeline frame)
vd_test(ui_verifiers MODULES ui pipeline)
vd_test(ui_tuning MODULES ui pipeline frame)
vd_test(ui_bridge MODULES ui base)
vd_test(ui_serving MODULES ui serve pipeline)
