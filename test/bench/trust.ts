/** What a proof costs: requests to the registry and time, with what real registries answered, on the loopback. */
import { systemAmbient } from "../../src/ambient.ts";
import type { Clock } from "../../src/model/ambient.ts";
import type { TrustQuestion } from "../../src/model/trust.ts";
import { RegistryTrust } from "../../src/trust/trust.ts";
import { RegistryServer } from "../fakes/registry-server.ts";
import { aPolicy } from "../trust/policy.ts";
import { type Recording, recordedAnswer, recordingOf } from "../trust/recordings.ts";

interface TrustRow {
  what: string;
  proven: boolean;
  requests: number;
  /** Median. */
  ms: number;
}

const TIMES = 50;
const TARGETS = 10;
/** What is known of an image is asked again after this. */
const LATER_MS = 10_000;
/** Within the validity of the recorded certificates. */
const NOW = Date.parse("2026-11-25T12:00:00Z");
const CHAINS = "cosign-ecdsa-v2alpha4";
const signal = new AbortController().signal;

/** One image as a delivery looks at it: whether the digest is there, then the proof. */
interface Look {
  trust: RegistryTrust;
  question: TrustQuestion;
  /** Lets time pass. */
  pass: (ms: number) => void;
}

export async function benchTrust({ json }: { json: boolean }): Promise<void> {
  const server = await RegistryServer.start(() => undefined);
  const report = (row: TrustRow): void => console.log(json ? JSON.stringify({ bench: "trust", ...row }) : lineOf(row));
  try {
    for (const [what, variant] of LAYOUTS) report(await measured(server, { what, variant, act: look }));
    report(await measured(server, { what: `${TARGETS} targets of one build`, variant: CHAINS, act: targets }));
    const again = { what: "another look at what waits", variant: CHAINS, before: look, act: look };
    report(await measured(server, again));
  } finally {
    await server.close();
  }
}

const LAYOUTS: [what: string, variant: string][] = [
  ["Tekton Chains: .sig and .att, ECDSA", CHAINS],
  ["Tekton Chains: .sig and .att, ed25519", "cosign-ed25519-v2alpha4"],
  ["a registry without referrers", "x509-slsav1-distribution"],
  ["bundles by referrers", "bundle-referrers"],
  ["bundles by the index tag", "bundle-fallback-index"],
  ["certificates of an authority", "cert-valid"],
  ["nothing signed", "neg-unsigned"],
];

async function look({ trust, question }: Look): Promise<boolean> {
  await trust.absenceOf(question.image, signal);
  return (await trust.decide(question, signal)).proven;
}

async function targets(one: Look): Promise<boolean> {
  const all = await Promise.all(Array.from({ length: TARGETS }, () => look(one)));
  return all.every(Boolean);
}

interface Measurement {
  what: string;
  variant: string;
  /** Not measured; time passes after it. */
  before?: (one: Look) => Promise<unknown>;
  act: (one: Look) => Promise<boolean>;
}

async function measured(server: RegistryServer, { what, variant, before, act }: Measurement): Promise<TrustRow> {
  const recording = recordingOf(variant);
  server.respond = ({ url }) => recordedAnswer(recording, url);
  const times: number[] = [];
  let proven = false;
  // The first one pays for loading the libraries.
  for (let time = 0; time <= TIMES; time++) {
    const one = openLook(recording, server.address);
    await before?.(one);
    one.pass(LATER_MS);
    server.asked.length = 0;
    const begin = performance.now();
    proven = await act(one);
    if (time > 0) times.push(performance.now() - begin);
    one.trust.close();
  }
  const median = times.toSorted((a, b) => a - b)[Math.floor(TIMES / 2)] ?? 0;
  return { what, proven, requests: server.asked.length, ms: Math.round(median * 10) / 10 };
}

function openLook(recording: Recording, address: string): Look {
  const { image, digest, source, run, builder, identity, trustedKey = "", trustedCa } = recording;
  let passed = 0;
  const clock: Clock = { ...systemAmbient.clock, now: () => systemAmbient.clock.now() + passed };
  const readFile = async (file: string): Promise<string> => (file === "ca.pem" ? (trustedCa ?? "") : trustedKey);
  const registry = { host: image.split("/")[0] ?? "", address, mirrors: [], tokenHosts: [] };
  const trust = new RegistryTrust({ clock, readFile, counted: () => undefined }, [registry]);
  const keyless = trustedCa !== undefined && identity !== undefined;
  const policy = aPolicy({
    builders: [builder],
    ...(keyless && { keyFiles: [], keyless: { identities: [identity], caFile: "ca.pem" } }),
  });
  const question = { image: { repository: image, digest }, policy, source, now: NOW, ...(run && { run }) };
  return { trust, question, pass: (ms) => (passed += ms) };
}

function lineOf({ what, proven, requests, ms }: TrustRow): string {
  return `${what.padEnd(42)} ${proven ? "proven    " : "not proven"} ${String(requests).padStart(3)} requests ${ms.toFixed(1).padStart(6)} ms`;
}
