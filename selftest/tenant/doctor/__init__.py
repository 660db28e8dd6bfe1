"""The doctor: the settings of the endpoint and the tenant's objects, held against every documented error code.

All of it is evidence first and judgement after: ``settings``, ``tenant``, ``live`` and ``endpoint_probe`` find out what
is there, the ``statements_…`` modules say what is wrong with it and do no input or output of their own.
"""
