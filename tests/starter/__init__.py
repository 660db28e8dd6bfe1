"""The starter: what a copy contains, that its tests pass without this repository, and what an update does to it."""
