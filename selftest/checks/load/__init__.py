"""L: the responses of a load run."""
