"""Speech to words. Options are plain values; torch comes in with the modules that need it."""
