#!/bin/sh
# A backup into an empty installation, with the secrets of the old one: deploy/restore.sh FILE
set -eu
file=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")/.."

docker compose up --detach --wait db
docker compose run --rm --no-deps -T server \
    sh -c 'cat > /data/restored.tar.gz && python -m server restore /data/restored.tar.gz; code=$?; rm /data/restored.tar.gz; exit $code' \
    < "$file"
echo "Next: docker compose up --detach --wait"
