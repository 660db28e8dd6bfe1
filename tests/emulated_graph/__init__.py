"""The emulated Microsoft Graph: an HTTP server on the loopback interface, for tests."""
