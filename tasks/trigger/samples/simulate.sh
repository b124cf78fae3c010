#!/bin/sh
# Sends a webhook as the forge would, signed. For trying a listener out, and its filters:
#
#   kubectl port-forward service/el-ci 8080 --namespace ci &
#   SECRET=$(kubectl get secret gitspan-webhooks -n ci -o jsonpath='{.data.github}' | base64 -d) \
#     ./simulate.sh github push body.json http://127.0.0.1:8080
#
# Prints the listener's answer. 202 only says that it was taken in, not that anything started: kubectl get pipelineruns -n ci
#   -l triggers.tekton.dev/triggers-eventid=EVENTID
set -eu
if [ $# -ne 4 ] || [ -z "${SECRET:-}" ]; then
  echo "usage: SECRET=... simulate.sh github|gitea|gitlab|bitbucket EVENT BODY.json URL" >&2
  exit 2
fi
forge=$1 event=$2 body=$3 url=$4
signature="sha256=$(openssl dgst -sha256 -hmac "$SECRET" < "$body" | sed 's/.* //')"
id="simulated-$(date +%s)"
case "$forge" in
  github)
    set -- -H "X-GitHub-Event: $event" -H "X-GitHub-Delivery: $id" -H "X-Hub-Signature-256: $signature" ;;
  gitea)
    set -- -H "X-GitHub-Event: $event" -H "X-Gitea-Event: $event" -H "X-Gitea-Delivery: $id" -H "X-Hub-Signature-256: $signature" ;;
  gitlab)
    set -- -H "X-Gitlab-Event: $event" -H "X-Gitlab-Event-UUID: $id" -H "X-Gitlab-Token: $SECRET" ;;
  bitbucket)
    set -- -H "X-Event-Key: $event" -H "X-Request-UUID: $id" -H "X-Hub-Signature: $signature" ;;
  *)
    echo "simulate.sh: there is no forge $forge" >&2
    exit 2 ;;
esac
exec curl --silent --show-error --fail-with-body --max-time 30 -H 'Content-Type: application/json' "$@" --data-binary "@$body" "$url"
