"""I: several instances of the endpoint behind one address, as a function app that scales out has them."""
