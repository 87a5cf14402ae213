vd_test(detector MODULES detect model engine frame base)
vd_test(builtin MODULES detect model engine frame base)
vd_test(yolo_decode MODULES detect model engine frame base)
vd_test(yolo MODULES detect media model engine frame base)
