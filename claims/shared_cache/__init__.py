"""Last good claims in a store that all instances share; imported only where ``Claims__SharedCache`` is set."""
