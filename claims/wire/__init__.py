"""What comes from outside: strict JSON, bounded fetches, rules for URLs."""
