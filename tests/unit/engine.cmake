vd_test(engine MODULES engine frame base)
