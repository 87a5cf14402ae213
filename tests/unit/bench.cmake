vd_test(verify_tally MODULES bench verify frame base)
