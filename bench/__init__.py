"""Measure the cost and reaction time of the syncer beside other contenders; see docs/bench.md."""
