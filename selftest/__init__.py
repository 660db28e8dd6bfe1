"""The tool: acts as Microsoft Entra towards an endpoint and judges what it answers. It is never deployed."""

#: Of the tool and of the endpoint that the same checkout holds.
__version__ = "1.0.0"
