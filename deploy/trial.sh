#!/bin/bash
# `make compose-test`: the compose files tried for real, from secrets to down, on a copy of the checkout and under a
# project name of its own. `workers` as an argument puts docker-compose.workers.yml on top, `gvisor` that of gVisor.
# Needs a Docker engine with compose, and the virtual environment that make installs.
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
export COMPOSE_PROJECT_NAME=dojo-trial DOJO_PUBLISH DOJO_HTTP DOJO_HTTPS DOJO_CONFIG_DIR=$work/student
free_port() { .venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
DOJO_PUBLISH=$(free_port) DOJO_HTTP=$(free_port) DOJO_HTTPS=$(free_port)
address=http://127.0.0.1:$DOJO_PUBLISH
export COMPOSE_FILE=$work/app/docker-compose.yml
grading=(server) # who runs students' code
if [ "${1:-}" = workers ]; then
    COMPOSE_FILE+=:$work/app/docker-compose.workers.yml
    grading=(worker)
fi
if [ "${1:-}" = gvisor ]; then
    docker info --format '{{json .Runtimes}}' | grep -q '"runsc"' || fail "this engine has no runtime runsc. Install gVisor."
    COMPOSE_FILE+=:$work/app/docker-compose.gvisor.yml
fi
mkdir "$work/app"
git ls-files -z | tar --null --files-from=- -cf - | tar -xf - -C "$work/app"
cp wheels/*.whl "$work/app/wheels/"
cd "$work/app"
dojo() { echo "\$ dojo $*"; "$checkout/.venv/bin/dojo" "$@"; }
typed() { # what docs/operator.md tells to type, here
    grep --quiet --fixed-strings --line-regexp -- "    $1" "$work/app/docs/operator.md" || fail "docs/operator.md does not say: $1"
    local line=${1//dojo.example.org/localhost}
    line=${line//\/srv\/backups/$work/backups}
    line=${line/dojo-2026-11-26-031700.tar.gz/${backup:-}}
    (cd "$work/app" && eval "${line/tls,metrics/$profiles}") # without metrics where there are no such images
}
profiles=tls
if docker image inspect "${PROMETHEUS_IMAGE:-prom/prometheus:v3.5.0}" "${GRAFANA_IMAGE:-grafana/grafana:12.2.0}" >/dev/null 2>&1; then
    profiles=tls,metrics
fi

finish() {
    status=$?
    [ $status = 0 ] || docker compose --profile tls logs --no-color --tail 40 || true
    say "Down"
    docker compose --profile tls down --volumes --remove-orphans || true
    rm -rf "$work"
    exit $status
}
trap finish EXIT

say "Secrets, build, up"
typed 'deploy/secrets.sh'
for each in "" :docker-compose.workers.yml :docker-compose.gvisor.yml; do
    COMPOSE_FILE=docker-compose.yml$each docker compose --profile tls --profile metrics config --quiet
done
docker compose build --quiet
typed 'docker compose up --build --detach --wait'
docker compose ps --all
[ "$(docker compose ps --all --format '{{.ExitCode}}' migrate)" = 0 ] || fail "the migration did not end well"
size() { docker image inspect --format '{{.Size}}' "$1"; }
image=$(size backprop-dojo-server) base=$(size "${PYTHON_IMAGE:-python:3.11-slim-bookworm}")
echo "the image: $((image / 1000000)) MB, $(((image - base) / 1000000)) of them on top of Python's"
[ $((image - base)) -lt 1050000000 ] || fail "the image is larger than the README says"

say "What the containers are inside"
inside() { docker compose exec -T "$@"; }
for each in $(docker compose ps --services | grep -v '^db$'); do
    echo "$each: $(inside "$each" sh -c 'id -un; grep -E "^(NoNewPrivs|CapEff|Seccomp):" /proc/1/status' | xargs)"
    inside "$each" touch /app/x 2>/dev/null && fail "the image of $each is not read-only"
done
for each in "${grading[@]}"; do
    inside "$each" python -m server doctor | tee "$work/doctor" || fail "the doctor is not content"
done

say "The first course"
opened=$(typed 'docker compose exec server python -m server init')
code=$(sed -n 's/^Join code *//p' <<<"$opened")
token=$(sed -n "s/^Instructor's token *//p" <<<"$opened")
[ -n "$code" ] && [ -n "$token" ] || fail "init printed neither a join code nor a token"

say "A student"
mkdir "$work/desk" && cd "$work/desk"
dojo join "$address" "$code" --name Ada
dojo pull makemore/full-backward
cp "$work/app/exercises/makemore/full_backward/solution.py" full-backward/solution.py
dojo submit --all full-backward/solution.py | tee "$work/table"
[ "$(grep -c 'exact: True' "$work/table")" = 26 ] || fail "26 exact rows were expected"

say "The instructor"
progress() { curl --silent --fail --header "Authorization: Bearer $token" "$address/api/v1/courses/backprop/progress?format=csv"; }
progress | tee "$work/before" | head -5
[ "$(grep -c ',exact,true,' "$work/before")" = 26 ] || fail "26 exact cells were expected"

if [ "${1:-}" = gvisor ]; then
    grep --quiet '^kernel .*gVisor' "$work/doctor" || fail "the doctor does not know gVisor"
elif [ "${grading[0]}" = server ]; then
    say "A restart loses nothing"
    docker compose restart server
    docker compose up --detach --wait --wait-timeout 300
    progress | cmp - "$work/before" && echo "the same progress as before"
    dojo submit full-backward/solution.py | tail -3

    say "Behind the proxy with TLS"
    typed 'docker compose exec server python -m server doctor' | tail -1
    typed 'echo DOJO_SITE=dojo.example.org >> .env'
    typed 'echo COMPOSE_PROFILES=tls,metrics >> .env'
    typed 'docker compose up --detach --wait'
    site=https://localhost:$DOJO_HTTPS
    ask() { curl --silent --insecure --output /dev/null --write-out '%{http_code} %{redirect_url}' "$@" || true; }
    for _ in $(seq 50); do [ "$(ask "$site/healthz")" = "200 " ] && break; sleep 0.2; done
    expect() { answer=$(ask "${@:2}"); echo "$2: $answer"; [[ $answer == $1 ]] || fail "$1 was expected"; }
    expect "200 " "$site/healthz"
    expect "404 " "$site/metrics"
    expect "404 " "$site/readyz"
    expect "308 https://localhost*" "http://localhost:$DOJO_HTTP/healthz"
    expect "307 $site/client/*.whl" "$site/client.whl"
    expect "200 " "$site/api/v1/me" --header "Authorization: Bearer $token"
    head -c 10000000 /dev/zero > "$work/large"
    expect "4[01]* " "$site/api/v1/join" --data-binary "@$work/large"

    say "A backup while it works, and an empty machine that gets it"
    typed 'deploy/backup.sh /srv/backups'
    backup=$(ls "$work/backups")
    tar -tzf "$work/backups/$backup" | xargs
    progress > "$work/before"
    docker compose down --volumes
    typed 'deploy/restore.sh /srv/backups/dojo-2026-11-26-031700.tar.gz'
    typed 'docker compose up --detach --wait'
    progress | cmp - "$work/before" && echo "the same progress as before"
    dojo submit full-backward/solution.py | tail -3
else
    say "The zygotes have no network, no secret, and nothing to write to but the folder of their socket"
    inside zygote sh -c '! ls /run/secrets 2>/dev/null && ls /sys/class/net && find / -xdev -writable -type d 2>/dev/null || true' |
        tee "$work/found"
    [ "$(xargs < "$work/found")" = "lo /run/zygote" ] || fail "they have more"

    say "Three workers"
    docker compose up --detach --wait --wait-timeout 300 --scale worker=3 --no-recreate
    health() { docker compose ps --all --format '{{.Health}}' worker | sort | uniq --count | xargs; }
    [ "$(health)" = "3 healthy" ] || fail "three healthy workers were expected: $(health)"
    for index in 1 2 3; do
        docker compose exec -T --index $index worker python - <<'PROGRAM'
import urllib.request
for page in ("readyz", "metrics"):
    text = urllib.request.urlopen(f"http://127.0.0.1:9100/{page}").read().decode()
    print(text if page == "readyz" else f"{text.count('dojo_')} lines of dojo_")
PROGRAM
    done
    inside server python -c 'import socket; print(*sorted(socket.gethostbyname_ex("worker")[2]))' | tee "$work/found"
    [ "$(wc --words < "$work/found")" = 3 ] || fail "Prometheus would not find three workers"

    say "Workers that cannot grade are not healthy, and say why"
    docker compose pause zygote
    for _ in $(seq 90); do [ "$(health)" = "3 unhealthy" ] && break; sleep 1; done
    [ "$(health)" = "3 unhealthy" ] || fail "three unhealthy workers were expected: $(health)"
    docker compose unpause zygote
    for _ in $(seq 60); do [ "$(health)" = "3 healthy" ] && break; sleep 1; done
    [ "$(health)" = "3 healthy" ] || fail "three healthy workers were expected: $(health)"

    for part in zygote worker; do
        say "Every $part dies"
        for index in $(seq "$(docker compose ps --quiet $part | wc --lines)"); do
            docker compose exec -T --index "$index" $part sh -c 'kill -9 -1' || true
        done
        begun=$SECONDS
        dojo submit --all full-backward/solution.py > "$work/table" || true # 1 if it is not graded yet
        number=$(sed -n 's/^Look later: dojo show //p' "$work/table")
        for _ in $(seq 60); do # a worker that starts anew imports torch, and the machine may be slow
            [ -z "$number" ] || dojo show --all "$number" > "$work/table" || true
            [ "$(grep -c 'exact: True' "$work/table")" = 26 ] && break
            sleep 2
        done
        [ "$(grep -c 'exact: True' "$work/table")" = 26 ] || fail "26 exact rows were expected"
        echo "graded all the same, $((SECONDS - begun)) s after it was handed in"
    done
fi

say "Memory"
docker stats --no-stream --format '{{.Name}} {{.MemUsage}}'
