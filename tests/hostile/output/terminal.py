# expect: ok
# tries: to clear the instructor's screen, set its title, fake a prompt and reverse the text
print("\x1b[2J\x1b[H\x1b]0;owned\x07\x1b[?1049h\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\")
print("\x9b31m", "\x90+q544e\x1b\\", "\u202eexact: eurT", "\u2066", "\x00\x07\x08")
print("\x0b\x0c\x7f\r", "\u2028\u2029\x85")
print("<script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}${7*7}")
