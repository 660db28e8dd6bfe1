"""The doctor: the settings of the endpoint and the tenant's objects, compared with every documented error code.

``sources`` reads files, Graph and the endpoint; ``evidence`` holds what was read as plain data; ``statements`` judges
it and does no input or output.
"""
