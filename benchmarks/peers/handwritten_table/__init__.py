"""The hand-written handler with Microsoft's client for tables."""
