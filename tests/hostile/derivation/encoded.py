# expect: ok wrong denied
# tries: to let torch derive by a program that is only a number in the source
program = 0x0A70203D206C6F676974732E636C6F6E6528292E72657175697265735F677261645F28290A6C203D20462E63726F73735F656E74726F707928702C205962290A6C2E6261636B7761726428290A646C6F67697473203D20702E677261640A
exec(program.to_bytes(97, "big").strip(b"\0").decode())
cmp("logits", dlogits, logits)
