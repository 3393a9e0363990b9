"""Speed and accuracy beside peers, as ratios of interleaved runs: ``python -m benchmarks --help``."""
