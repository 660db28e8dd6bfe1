"""Apps on Microsoft's own Functions host."""
