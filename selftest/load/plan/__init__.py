"""What a load run is to do: the profile, the times at which calls are due, and the flags for both."""
