import { describe, expect, it } from "vitest";
import { locationOf } from "../../src/git/location.ts";

describe("the address of a repository", () => {
  it.each([
    ["git@git.example.com:platform/gitops.git", { user: "git", port: 22, path: "platform/gitops.git" }],
    ["git.example.com:/srv/gitops.git", { user: "git", port: 22, path: "/srv/gitops.git" }],
    ["ssh://git.example.com/srv/gitops.git", { user: "git", port: 22, path: "/srv/gitops.git" }],
    ["ssh://deploy@git.example.com:2222/~/gitops.git/", { user: "deploy", port: 2222, path: "~/gitops.git" }],
    ["ssh://git@git.example.com/a%20b.git", { user: "git", port: 22, path: "/a b.git" }],
  ])("%s is one of SSH", (address, expected) => {
    expect(locationOf(address)).toMatchObject({ kind: "ssh", host: "git.example.com", ...expected });
  });

  it("is shown in one form", () => {
    expect(locationOf("git@git.example.com:platform/gitops.git").url).toBe(
      "ssh://git@git.example.com/platform/gitops.git",
    );
    expect(locationOf("ssh://git@[::1]:2222/a.git")).toMatchObject({ host: "::1", url: "ssh://git@[::1]:2222/a.git" });
  });

  it("gives up its user name and password for credentials", () => {
    expect(locationOf("https://bot:s3cr%3Aet@git.example.com/a.git/")).toEqual({
      kind: "http",
      url: "https://git.example.com/a.git",
      credentials: { username: "bot", password: "s3cr:et" },
    });
  });

  it.each([
    "ftp://git.example.com/a.git",
    "/srv/gitops.git",
    "ssh://git.example.com/",
    "ssh://git:hunter2@git.example.com/a.git",
    "git@git.example.com:-oProxyCommand=x",
    "git@git.example.com:a\nb",
  ])("%j is none, and is not shown", (address) => {
    const act = (): unknown => locationOf(address);
    expect(act).toThrow(expect.objectContaining({ code: "git-unsupported" }));
    expect(act).not.toThrow(/hunter2/);
  });
});
