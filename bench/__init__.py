"""What the syncer costs and how fast it reacts, beside any other contender; docs/bench.md explains it."""
