"""The scripts that azd runs: one file a hook, because azd gives a script no argument."""
