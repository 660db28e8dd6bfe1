"""The hand-written handler with Microsoft's Graph SDK, whose models it does without."""
