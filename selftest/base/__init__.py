"""What every room uses, written once: it imports no other room."""
