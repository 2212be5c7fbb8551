"""Making models: speech with known word times, windows with labels, the training loop, honest scores.

The product runs without importing this package. Commands: `python -m subwhisper.training --help`.
"""
