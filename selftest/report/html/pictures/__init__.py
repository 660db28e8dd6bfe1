"""The pictures of the report, drawn by matplotlib. Each is a function of figures; none holds a text of a run."""
