# expect: ok error
# tries: to end the harness along with itself
raise SystemExit(0)
