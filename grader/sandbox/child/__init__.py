"""What runs beside student code, in the same process. Nothing here is a secret, and nothing here is believed."""
