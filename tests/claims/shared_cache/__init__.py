"""Tests of the cache that all instances share."""
