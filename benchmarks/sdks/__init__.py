"""The endpoint and hand-written handlers with the data sources that have a client of Microsoft's: Graph and a table."""
