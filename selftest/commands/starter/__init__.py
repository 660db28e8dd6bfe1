"""The commands that make and update a project: a folder holds at most 16 modules, and `selftest.commands` is full."""
