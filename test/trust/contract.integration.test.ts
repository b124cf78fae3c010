import { systemAmbient } from "../../src/ambient.ts";
import { digestOf } from "../../src/trust/registry.ts";
import { RegistryTrust } from "../../src/trust/trust.ts";
import { REPOSITORY, trustContract } from "../contracts/trust.ts";
import { ImageRegistry, signingKey } from "../fakes/image-registry.ts";
import { MemoryTrust } from "../fakes/memory-trust.ts";

trustContract("RegistryTrust", async () => {
  const registry = await ImageRegistry.start(REPOSITORY);
  const key = signingKey();
  let now = systemAmbient.clock.now();
  const trust = new RegistryTrust(
    {
      clock: { now: () => now, sleep: systemAmbient.clock.sleep },
      readFile: async () => key.publicKey,
      counted: () => undefined,
    },
    [{ host: "registry.example.com", address: registry.server.address, mirrors: [], tokenHosts: [] }],
  );
  return {
    trust,
    push: (tag, content) => registry.push(tag, content),
    sign: (digest) => registry.sign(digest, key),
    attest: (digest, said) => registry.attest(digest, key, said),
    pass: async () => void (now += 5_000),
    close: async () => {
      trust.close();
      await registry.close();
    },
  };
});

trustContract("MemoryTrust", async () => {
  const trust = new MemoryTrust(["registry.example.com"]);
  return {
    trust,
    push: (tag, content) => {
      const digest = digestOf(Buffer.from(content));
      trust.push(REPOSITORY, tag, digest);
      return digest;
    },
    sign: (digest) => trust.sign(REPOSITORY, digest),
    attest: (digest, said) => trust.attest(REPOSITORY, digest, said),
    pass: async () => undefined,
    close: async () => undefined,
  };
});
