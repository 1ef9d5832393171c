#!/bin/sh
# Makes the secrets that docker-compose.yml mounts, once. What is there already is left alone.
set -eu
cd "$(dirname "$0")/.."

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

# Only the owner may enter the folder. The files inside are readable, because the containers' users, who see them
# through a mount of their own, are others.
mkdir -p secrets && chmod 700 secrets
if [ -e secrets/secret ]; then
    echo "secrets/ is there already; nothing was changed."
    exit 0
fi
password=$(random)
printf '%s' "$password" > secrets/db_password
printf 'postgresql+psycopg://dojo:%s@db/dojo' "$password" > secrets/database_url
random > secrets/secret
chmod 444 secrets/*
echo "Made secrets/. Keep a copy of secrets/secret: every student's instances are derived from it."
echo "Next: docker compose up --build --detach --wait"
