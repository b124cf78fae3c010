#!/bin/sh
# Starts Gitea with the demonstration's settings and an administrator `demo`.
set -eu
# The images name these folders and leave it to their own start scripts to make them.
mkdir -p "${HOME:-/var/lib/gitea}" "${TMPDIR:-/tmp}"
config=/var/lib/gitea/demonstration.ini
# Gitea writes the secrets that it makes up into its configuration.
[ -s "$config" ] || cp /etc/gitspan-demonstration/app.ini "$config"

gitea migrate --config "$config"
if ! gitea admin user list --config "$config" | grep -q '[[:space:]]demo[[:space:]]'; then
  gitea admin user create --config "$config" --admin --username demo --password "$DEMO_PASSWORD" \
    --email demo@example.com --must-change-password=false
fi
exec gitea web --config "$config"
