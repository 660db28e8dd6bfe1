"""L: whether the answers of a load run came in time."""
