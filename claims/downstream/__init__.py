"""What providers reach beyond the endpoint: tokens got ahead of time, and calls that are bounded in time and size."""
