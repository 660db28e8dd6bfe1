"""Load as Entra produces it: calls that are sent when they are due, regardless of earlier ones."""
