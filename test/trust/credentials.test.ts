import { describe, expect, it } from "vitest";
import { isSameImage, locateImage } from "../../src/model/image-location.ts";
import { parseChallenge } from "../../src/trust/challenge.ts";
import { dockerCredentials } from "../../src/trust/credentials.ts";
import { defaultAddress } from "../../src/trust/docker-hub.ts";

const auth = Buffer.from("ci:se:cret").toString("base64");

describe("a docker configuration", () => {
  it.each([
    ["registry.example.com:5000", "registry.example.com:5000"],
    ["https://registry.example.com:5000/v2/", "registry.example.com:5000"],
    ["https://index.docker.io/v1/", "docker.io"],
  ])("has the credentials of %s", (name, host) => {
    const text = JSON.stringify({ auths: { "other.example.com": { auth: "" }, [name]: { auth } } });
    expect(dockerCredentials(text, host)).toEqual({ kind: "basic", username: "ci", password: "se:cret" });
  });

  it("may have user name and password apart, or the token of a login", () => {
    const auths = {
      "a.example.com": { username: "ci", password: "x" },
      "b.example.com": { auth, identitytoken: "refresh" },
    };
    const text = JSON.stringify({ auths });
    expect(dockerCredentials(text, "a.example.com")).toEqual({ kind: "basic", username: "ci", password: "x" });
    expect(dockerCredentials(text, "b.example.com")).toEqual({ kind: "identity", token: "refresh" });
  });

  it("without the registry has no credentials: it is asked anonymously", () => {
    expect(dockerCredentials("{}", "registry.example.com")).toBeUndefined();
  });

  it.each([
    ["keeps the password in a helper", JSON.stringify({ auths: { "r.example.com": {} }, credsStore: "desktop" })],
    ["is no JSON", "username: ci"],
    ["has something else as auths", '{"auths": ["ci:secret"]}'],
  ])("that %s is refused without being quoted", (_what, text) => {
    expect(() => dockerCredentials(text, "r.example.com")).toThrow(/docker configuration of a registry cannot be used/);
    expect(() => dockerCredentials(text, "r.example.com")).not.toThrow(/secret/);
  });
});

describe("a challenge", () => {
  it.each([
    ['Bearer realm="https://r/token",service="x y"', { scheme: "bearer", realm: "https://r/token", service: "x y" }],
    ['bearer service=x, realm="https://r/\\"t"', { scheme: "bearer", realm: 'https://r/"t', service: "x" }],
    ['Basic realm="lab"', { scheme: "basic" }],
    ["Bearer service=x", undefined],
    ["Negotiate abc", undefined],
    [undefined, undefined],
  ])("%s", (header, wanted) => {
    expect(parseChallenge(header)).toEqual(wanted);
  });
});

describe("a name", () => {
  it.each([
    ["registry.example.com/shop/checkout", "registry.example.com", "shop/checkout"],
    ["Registry.Example.com:5000/a", "registry.example.com:5000", "a"],
    ["localhost/a", "localhost", "a"],
    ["nginx", "docker.io", "library/nginx"],
    ["shop/checkout", "docker.io", "shop/checkout"],
    ["index.docker.io/nginx", "docker.io", "library/nginx"],
  ])("%s is of %s", (repository, host, path) => {
    expect(locateImage(repository)).toEqual({ host, path });
  });

  it("is the same however Docker Hub is spelt, and with a tag behind it", () => {
    expect(isSameImage("index.docker.io/library/nginx:1@sha256:x", "nginx")).toBe(true);
    expect(isSameImage("registry.example.com:5000/a", "registry.example.com:5000/a")).toBe(true);
    expect(isSameImage("registry.example.com/a", "registry.example.com:5000/a")).toBe(false);
    expect(isSameImage("", "nginx")).toBe(false);
  });

  it("leads to the registry itself", () => {
    expect(defaultAddress("docker.io")).toBe("https://registry-1.docker.io");
    expect(defaultAddress("r.example.com:5000")).toBe("https://r.example.com:5000");
  });
});
