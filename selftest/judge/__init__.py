"""What a reply leads to in Entra: the verdict, its warnings, and the table of codes that explains it."""
