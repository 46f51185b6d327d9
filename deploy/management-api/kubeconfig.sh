#!/bin/sh
# kubeconfig.sh [OPTION…]: prints a kubeconfig for the account of deploy/management-api/cluster in the cluster that kubectl reaches with
# these options, such as --context biz. It holds a token: keep it as a Secret, and nowhere else.
set -eu
cluster() { field=$1; shift; kubectl "$@" config view --raw --minify --flatten -o "jsonpath={.clusters[0].cluster.$field}"; }
server=$(cluster server "$@")
certificate=$(cluster certificate-authority-data "$@")
token=$(kubectl "$@" -n multinic-system get secret multinic-management-api -o 'go-template={{with .data.token}}{{base64decode .}}{{end}}')
if [ -z "$token" ]; then
  echo "kubeconfig.sh: the Secret multinic-management-api of the namespace multinic-system has no token yet" >&2
  exit 1
fi
cat <<CONFIG
apiVersion: v1
kind: Config
clusters:
- name: cluster
  cluster: {server: "$server"${certificate:+, certificate-authority-data: $certificate}}
users:
- name: multinic-management-api
  user: {token: "$token"}
contexts:
- name: cluster
  context: {cluster: cluster, user: multinic-management-api}
current-context: cluster
CONFIG
