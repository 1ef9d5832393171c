#!/bin/sh
# A backup into an empty installation, with the secrets of the old one: deploy/restore.sh FILE
set -eu
if [ ! -f "${1:-}" ] || [ ! -r "$1" ]; then
    echo "Type: deploy/restore.sh FILE, with a backup that can be read." >&2
    exit 2
fi
file=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")/.."
if [ -n "$(docker compose ps --quiet --status running server)" ]; then
    echo "The server runs. A backup is restored before the first start, or after 'docker compose down --volumes', which" >&2
    echo "deletes what the server has now." >&2
    exit 2
fi

docker compose up --detach --wait db
docker compose run --rm --no-deps -T server \
    sh -c 'cat > /data/restored.tar.gz && python -m server restore /data/restored.tar.gz; code=$?; rm /data/restored.tar.gz; exit $code' \
    < "$file"
echo "Here: docker compose up --detach --wait"
