"""The server's REST interface: requests over HTTP, and its answers as values."""
