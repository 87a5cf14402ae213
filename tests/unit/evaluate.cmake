vd_test(evaluate MODULES evaluate frame base)
