vd_test(draw MODULES draw)
