"""What the doctor judges: settings, Graph objects and probe results, as plain data."""
