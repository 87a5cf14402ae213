vd_test(event MODULES event)
vd_test(event_recall MODULES event)
