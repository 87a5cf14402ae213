vd_test(engine MODULES engine frame base)
vd_test(kernels MODULES engine base)
