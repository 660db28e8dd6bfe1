"""The results of a run as data and in each of their forms. Every form is a function of the same `Results`."""
