"""Pages: what people see in a browser. They call the functions that REST calls, and ask no SQL of their own."""
