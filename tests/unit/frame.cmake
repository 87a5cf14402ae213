vd_test(frame MODULES frame base)
vd_test(convert MODULES frame base)
vd_test(select MODULES frame base)
vd_test(labels MODULES frame base)

# The n-th allocation of every constructor fails in turn.
vd_test(alloc MODULES frame base)
vd_shortage(test_alloc)
