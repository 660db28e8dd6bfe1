"""Entra's decision on a reply: the verdict, its warnings, and the table of codes that explains it."""
