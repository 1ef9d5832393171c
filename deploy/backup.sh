#!/bin/sh
# A backup into a folder of this machine, of which the newest stay: deploy/backup.sh FOLDER [HOW_MANY]
set -eu
mkdir -p "$1"
folder=$(cd "$1" && pwd)
keep=${2:-14}
cd "$(dirname "$0")/.."
umask 077

name=dojo-$(date +%F-%H%M%S).tar.gz
docker compose exec -T server python -m server backup "/data/$name"
trap 'docker compose exec -T server rm -f "/data/$name"' EXIT
docker compose exec -T server cat "/data/$name" > "$folder/$name.part"
mv "$folder/$name.part" "$folder/$name" # whole, or not there at all
ls -t "$folder"/dojo-*.tar.gz | tail -n "+$((keep + 1))" | xargs -r rm
