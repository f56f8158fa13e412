"""What tests the suite itself: faults, master seeds, known truth, disturbances, bad input, cost."""
