"""What providers use to call other services: tokens fetched ahead of time, and calls with limits on time and size."""
