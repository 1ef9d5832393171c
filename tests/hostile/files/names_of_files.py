# expect: ok
# tries: secrets in what the interpreter remembers: arguments, paths of modules of the server, loaded settings
import sys

for name in sys.modules:
    if name.split(".")[0] in ("server", "alembic", "sqlalchemy", "fastapi", "client", "dojo", "tests"):
        print("BREACH the child holds module", name)
    if name in ("grader.compare", "grader.reference.gradients", "grader.grade", "exercises.registry"):
        print("BREACH the child holds", name)
for argument in sys.argv + sys.orig_argv:
    if any(word in argument.lower() for word in ("token", "secret", "seed", "://")):
        print("BREACH an argument says", argument)
