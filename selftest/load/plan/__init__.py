"""The plan of a load run: its profile, the times at which calls are due, and the command's flags."""
