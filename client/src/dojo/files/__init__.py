"""Files of the student: the pulled folder, what it starts with, what is submitted, what waits to be sent."""
