vd_test(track_assign MODULES track)
vd_test(track_motion MODULES track)
vd_test(track MODULES track)
vd_test(track_backfill MODULES track)

# What is allocated is counted; memory that runs out is refused.
vd_test(track_memory MODULES track)
vd_shortage(test_track_memory)
