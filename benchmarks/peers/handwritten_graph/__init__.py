"""The hand-written handler with Microsoft's Graph SDK."""
