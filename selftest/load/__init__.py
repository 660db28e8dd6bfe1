"""Load as Entra brings it: calls that come when they are due, whatever became of the ones before."""
