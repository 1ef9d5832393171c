# The server with its grader inside. It runs as an ordinary user and needs no privilege.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# Everything that is installed, in one folder; what installing needs stays behind with this stage.
FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/opt/dojo/bin:$PATH
WORKDIR /app
RUN python -m venv /opt/dojo

# torch first and alone: it is the largest part, and stays cached when anything else changes.
# The wheel in wheels/ is preferred; TORCH_FROM takes extra pip arguments (an index with CPU builds).
ARG TORCH_FROM=
COPY wheels/ /wheels/
COPY constraints.txt ./
RUN pip install --find-links /wheels --no-deps $TORCH_FROM -c constraints.txt torch
# A grade is computed on the processor. The build with CUDA makes an image of 5 GB, and nothing uses it.
RUN ! ls /opt/dojo/lib/python3*/site-packages/torch/lib/libtorch_cuda.so 2>/dev/null \
 || { echo "This is torch with CUDA. Set TORCH_FROM='--index-url ADDRESS', the address of PyTorch's CPU builds." >&2; exit 1; }
COPY requirements.lock ./
RUN pip install --no-deps --require-hashes -r requirements.lock
COPY alembic.ini pyproject.toml README.md LICENSE ./
COPY exercises exercises
COPY grader grader
COPY author author
COPY server server
COPY migrations migrations
# The server reads dropped notebooks with a part of its client, and builds the client's wheel from these sources.
COPY client client
RUN pip install --no-deps --no-build-isolation -e . -e ./client \
 && cd /opt/dojo/lib/python3*/site-packages \
 && rm -rf pip torch/include torch/share torch/test torch/lib/*.a torch/lib/libtorchbind_test.so torch/lib/libjitbackend_test.so \
 && find torch/bin -type f -not -name torch_shm_manager -delete \
 && find . -type d -name tests -not -path "*/torch/*" -prune -exec rm -rf {} + \
# The image is read-only, so nothing is compiled there: without bytecode each start takes 1.6 times the processor time.
# What the server never imports needs none.
 && find sympy networkx mpmath -type d -name __pycache__ -prune -exec rm -rf {} + \
 && python -m compileall -q /app

FROM ${PYTHON_IMAGE}
# pg_dump and pg_restore: `python -m server backup` and `restore`.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home dojo \
 && install -d -o dojo -g dojo /data
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/opt/dojo/bin:$PATH
COPY --from=build /opt/dojo /opt/dojo
COPY --from=build /app /app
WORKDIR /app

USER dojo
ENV DOJO_DATA=/data DOJO_HOST=0.0.0.0 DOJO_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=180s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["python", "-m", "server", "serve"]
