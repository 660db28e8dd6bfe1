"""What every room uses, written once. It imports no other room."""
