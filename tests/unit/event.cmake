vd_test(event MODULES event)
vd_test(event_recall MODULES event)
vd_test(event_pictures MODULES event)
