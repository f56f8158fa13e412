"""One package per replicated paper."""
