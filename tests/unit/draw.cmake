vd_test(draw MODULES draw)
vd_test(draw_labels MODULES draw)
