"""The endpoint, its keys ageing 1800 times as fast."""
