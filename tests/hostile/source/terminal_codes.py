# expect: error
# tries: raw terminal codes, markup and bidirectional overrides on the line of a syntax error
x = = "[2J]0;owned ‮<script>alert(1)</script>31m "
