#!/bin/sh
# A backup into a folder of this machine, of which the newest stay: deploy/backup.sh FOLDER [HOW_MANY]
set -eu
keep=${2:-14}
if [ -z "${1:-}" ] || ! [ "$keep" -ge 1 ] 2>/dev/null; then
    echo "Type: deploy/backup.sh FOLDER [HOW_MANY], with a number from 1 on." >&2
    exit 2
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
umask 077

name=dojo-$(date +%F-%H%M%S).tar.gz
docker compose exec -T server python -m server backup "/data/$name"
trap 'rm -f "$folder/$name.part"; docker compose exec -T server rm -f "/data/$name"' EXIT
docker compose exec -T server cat "/data/$name" > "$folder/$name.part"
mv "$folder/$name.part" "$folder/$name" # whole, or not there at all
ls -t "$folder"/dojo-*.tar.gz | tail -n "+$((keep + 1))" | xargs -r rm
