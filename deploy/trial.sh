#!/bin/bash
# `make compose-test`: the compose file tried for real, from secrets to down, on a copy of the checkout and under a
# project name of its own. Needs a Docker engine with compose, and the virtual environment that make installs.
set -euo pipefail
cd "$(dirname "$0")/.."
checkout=$PWD

say() { printf '\n==> %s\n' "$*"; }
fail() { printf 'compose-test: %s\n' "$*" >&2; exit 1; }

docker compose version >/dev/null 2>&1 || fail "there is no docker compose here. Install Docker, or set DOCKER_HOST."
docker info >/dev/null 2>&1 || fail "no Docker engine answers. Start one, or set DOCKER_HOST."

if ! ls wheels/torch-*.whl >/dev/null 2>&1; then
    say "A torch wheel for the image, from where this machine's pip finds it"
    .venv/bin/pip download --quiet --no-deps --dest wheels ${TORCH_FROM:-} torch==2.13.0
fi

work=$(mktemp -d)
export COMPOSE_PROJECT_NAME=dojo-trial DOJO_PUBLISH DOJO_CONFIG_DIR=$work/student
DOJO_PUBLISH=$(.venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
address=http://127.0.0.1:$DOJO_PUBLISH
mkdir "$work/app"
git ls-files -z | tar --null --files-from=- -cf - | tar -xf - -C "$work/app"
cp wheels/*.whl "$work/app/wheels/"
cd "$work/app"
dojo() { echo "\$ dojo $*"; "$checkout/.venv/bin/dojo" "$@"; }

finish() {
    status=$?
    [ $status = 0 ] || docker compose logs --no-color --tail 40 || true
    say "Down"
    docker compose down --volumes --remove-orphans --timeout 10 || true
    rm -rf "$work"
    exit $status
}
trap finish EXIT

say "Secrets, build, up"
deploy/secrets.sh
docker compose build --quiet
docker compose up --detach --wait --wait-timeout 180
docker compose ps

say "What the server is inside"
docker compose exec -T server sh -c 'id; grep -E "^(NoNewPrivs|CapEff|Seccomp):" /proc/1/status'
docker compose exec -T server sh -c 'touch /app/x 2>/dev/null && echo writable || echo "the image is read-only"' | grep read-only
docker compose exec -T server python -m server doctor || fail "the doctor is not content"

say "The first course"
opened=$(docker compose exec -T server python -m server init)
code=$(sed -n 's/^Join code *//p' <<<"$opened")
token=$(sed -n "s/^Instructor's token *//p" <<<"$opened")
[ -n "$code" ] && [ -n "$token" ] || fail "init printed neither a join code nor a token"

say "A student"
mkdir "$work/desk" && cd "$work/desk"
dojo join "$address" "$code" --name Ada
dojo pull makemore/full-backward
cp "$work/app/exercises/makemore/full_backward/solution.py" full-backward/solution.py
dojo submit full-backward/solution.py | tee "$work/table"
[ "$(grep -c 'exact: True' "$work/table")" = 26 ] || fail "26 exact rows were expected"

say "The instructor"
progress() { curl --silent --fail --header "Authorization: Bearer $token" "$address/api/v1/courses/backprop/progress?format=csv"; }
progress | tee "$work/before" | head -5
[ "$(grep -c ',exact,true,' "$work/before")" = 26 ] || fail "26 exact cells were expected"

say "A restart loses nothing"
(cd "$work/app" && docker compose restart server && docker compose up --detach --wait --wait-timeout 120)
progress | cmp - "$work/before" && echo "the same progress as before"
dojo submit full-backward/solution.py | tail -3

cd "$work/app"
say "Memory"
docker stats --no-stream --format '{{.Name}} {{.MemUsage}}'
