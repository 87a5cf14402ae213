vd_test(event MODULES event)
