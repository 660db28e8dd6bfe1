"""The steps that create, change and remove objects in Entra, one module for each kind of object."""
