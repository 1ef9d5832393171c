# expect: ok error denied
# tries: to load the judge's own modules and the dataset, whose files lie beside the sandbox's
import importlib

for name in (
    "grader.compare", "grader.reference.gradients", "grader.grade", "exercises.registry", "exercises.instance",
    "exercises.makemore.full_backward", "exercises.makemore.full_backward.solution", "exercises.makemore.names",
    "server", "server.settings", "server.db", "sqlalchemy", "fastapi",
):
    try:
        importlib.import_module(name)
        print("BREACH imported", name)
    except Exception as refused:
        print(name, type(refused).__name__)
