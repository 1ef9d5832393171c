# The server with its grader inside. It runs as an ordinary user and needs no privilege.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# torch first and alone: it is the largest part, and stays cached when anything else changes.
# The wheel in wheels/ is preferred; TORCH_FROM takes extra pip arguments (an index with CPU builds).
ARG TORCH_FROM=
COPY wheels/ /wheels/
COPY constraints.txt requirements.lock pyproject.toml README.md LICENSE ./
RUN pip install --find-links /wheels --no-deps $TORCH_FROM -c constraints.txt torch && rm -rf /wheels \
 && pip install --no-deps --require-hashes -r requirements.lock

COPY alembic.ini ./
COPY exercises exercises
COPY grader grader
COPY server server
COPY migrations migrations
# The server builds the wheel of its client from these, at the first request.
COPY client client
RUN pip install --no-deps --no-build-isolation -e . \
 && useradd --uid 10001 --no-create-home dojo \
 && install -d -o dojo -g dojo /data

USER dojo
ENV DOJO_DATA=/data DOJO_HOST=0.0.0.0 DOJO_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["python", "-m", "server", "serve"]
