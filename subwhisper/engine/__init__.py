"""Speech to words. Empty on purpose: `options` must stay importable without torch."""
