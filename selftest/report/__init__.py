"""What a run found, as data and in each of its forms. Every form is a function of the same `Results`."""
