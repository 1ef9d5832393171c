# expect: error wrong
# tries: a second byte order mark in the middle, and a zero-width space in a name
x = 1
﻿y = 2
z​ = 3
