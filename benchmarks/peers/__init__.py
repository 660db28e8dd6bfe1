"""What is measured beside the endpoint, each written as its own documentation, or custom, would have it."""
