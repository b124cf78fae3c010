/** One certificate authority and what it signs (EC P-256), and kubeconfigs for certificates and tokens. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { addresses, NODE_ADDRESS, NODE_NAME, places, stateFile } from "./places.ts";

const SERVER_NAMES = [
  "DNS:localhost",
  "DNS:kubernetes",
  "DNS:kubernetes.default",
  "DNS:kubernetes.default.svc",
  "DNS:kubernetes.default.svc.cluster.local",
  "IP:127.0.0.1",
  `IP:${NODE_ADDRESS}`,
  "IP:10.96.0.1",
].join(",");
const DAYS = "3650";

export function pki(file: string): string {
  return stateFile("pki", file);
}

/** The files are made once per cluster; their names stand in the control plane's flags. */
export function createPki(): void {
  if (existsSync(pki("done"))) return;
  mkdirSync(stateFile("pki"), { recursive: true, mode: 0o700 });
  privateKey("ca");
  openssl(
    "req",
    "-x509",
    "-new",
    "-key",
    pki("ca.key"),
    "-subj",
    "/CN=gitspan-e2e",
    "-days",
    DAYS,
    "-out",
    pki("ca.crt"),
  );
  certificate("apiserver", "/CN=kube-apiserver", `extendedKeyUsage=serverAuth\nsubjectAltName=${SERVER_NAMES}`);
  const kubeletNames = `DNS:${NODE_NAME},IP:127.0.0.1,IP:${NODE_ADDRESS}`;
  certificate("kubelet-server", `/CN=${NODE_NAME}`, `extendedKeyUsage=serverAuth\nsubjectAltName=${kubeletNames}`);
  const users = {
    admin: "/O=system:masters/CN=admin",
    "controller-manager": "/CN=system:kube-controller-manager",
    scheduler: "/CN=system:kube-scheduler",
    kubelet: `/O=system:nodes/CN=system:node:${NODE_NAME}`,
    "apiserver-kubelet-client": "/O=system:masters/CN=apiserver-kubelet-client",
  };
  for (const [user, subject] of Object.entries(users)) {
    certificate(user, subject, "extendedKeyUsage=clientAuth");
    writeKubeconfig(kubeconfigOf(user), {
      "client-certificate-data": base64(pki(`${user}.crt`)),
      "client-key-data": base64(pki(`${user}.key`)),
    });
  }
  openssl("genrsa", "-out", pki("service-account.key"), "2048");
  openssl("rsa", "-in", pki("service-account.key"), "-pubout", "-out", pki("service-account.pub"));
  writeFileSync(pki("done"), "");
}

export function kubeconfigOf(user: string): string {
  return user === "admin" ? places.kubeconfig : stateFile(`${user}.kubeconfig`);
}

/** JSON is YAML; `user` is the user's part of a kubeconfig. */
export function writeKubeconfig(file: string, user: Readonly<Record<string, string>>, namespace = "default"): void {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "e2e", cluster: { server: addresses.apiServer, "certificate-authority-data": base64(pki("ca.crt")) } },
    ],
    users: [{ name: "user", user }],
    contexts: [{ name: "e2e", context: { cluster: "e2e", user: "user", namespace } }],
    "current-context": "e2e",
  };
  writeFileSync(file, JSON.stringify(config, undefined, 2), { mode: 0o600 });
}

function certificate(name: string, subject: string, extensions: string): void {
  privateKey(name);
  const [request, config] = [pki(`${name}.csr`), pki(`${name}.cnf`)];
  writeFileSync(config, extensions);
  openssl("req", "-new", "-key", pki(`${name}.key`), "-subj", subject, "-out", request);
  const signer = ["-CA", pki("ca.crt"), "-CAkey", pki("ca.key"), "-CAcreateserial", "-days", DAYS];
  openssl("x509", "-req", "-in", request, ...signer, "-out", pki(`${name}.crt`), "-extfile", config);
  for (const file of [request, config]) rmSync(file);
}

function privateKey(name: string): void {
  openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", pki(`${name}.key`));
}

function base64(file: string): string {
  return readFileSync(file).toString("base64");
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: "ignore" });
}
