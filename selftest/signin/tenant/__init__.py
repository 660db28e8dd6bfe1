"""The users, apps, extensions and listeners of an emulated tenant, and the tenant file."""
