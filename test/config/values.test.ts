import { expect, test } from "vitest";
import { didYouMean, nearest } from "../../src/config/nearest.ts";
import {
  isBranchName,
  parseDirectory,
  parseDuration,
  parseListenAddress,
  urlProblem,
} from "../../src/config/values.ts";

test("durations have one unit", () => {
  expect(["500ms", "30s", "10m", "12h", "7d", "0s"].map(parseDuration)).toEqual([
    500, 30_000, 600_000, 43_200_000, 604_800_000, 0,
  ]);
  expect(["", "30", "s", "-1s", "1.5h", "1h30m", "1 s", "1S", "9999999999s"].map(parseDuration)).toEqual(
    Array.from({ length: 9 }, () => undefined),
  );
});

test("addresses to listen on have a host and a port", () => {
  expect(parseListenAddress("localhost:0")).toEqual({ host: "localhost", port: 0 });
  expect(parseListenAddress("[::]:8484")).toEqual({ host: "::", port: 8484 });
  expect(["8484", ":8484", "::1:80", "a:65536", "a:b", "http://a:80"].map(parseListenAddress)).toEqual(
    Array.from({ length: 6 }, () => undefined),
  );
});

test("folders stay inside the repository", () => {
  expect(["a/b", "a/b/", "./a/b", "a/./b", ".", "./"].map(parseDirectory)).toEqual([
    "a/b",
    "a/b",
    "a/b",
    "a/b",
    "",
    "",
  ]);
  const outside = ["", "/", "/a", "..", "a/../b", "a//b", "a\\b", ".git/hooks", "a/.GIT", "a\nb", "a\0b"];
  expect(outside.map(parseDirectory)).toEqual(outside.map(() => undefined));
});

test("branch names are those that Git takes", () => {
  expect(["main", "release/1.x", "feature/a-b_c", "1.10"].filter((name) => !isBranchName(name))).toEqual([]);
  const bad = [
    "",
    "a..b",
    "a b",
    "-a",
    "/a",
    "a/",
    "a.",
    "a.lock",
    "a//b",
    ".a",
    "a/.b",
    "a@{1}",
    "@",
    "a~1",
    "a:b",
    "HEAD",
    "refs/heads/a",
  ];
  expect(bad.filter(isBranchName)).toEqual([]);
});

test("addresses of servers hold no secrets and no parameters", () => {
  expect(urlProblem("https://git.example.com:8443/a/b.git")).toBeUndefined();
  expect(urlProblem("https://token@git.example.com/a")).toContain("user name");
  expect(urlProblem("https://git.example.com/a?token=x")).toContain("?");
  expect(urlProblem("file:///srv/a.git")).toContain("https://");
});

test("the nearest known key is offered only when it is near", () => {
  const keys = ["listen", "database", "repositories", "environments"];
  expect(nearest("repositires", keys)).toBe("repositories");
  expect(nearest("LISTEN", keys)).toBe("listen");
  expect(nearest("lsiten", keys)).toBe("listen");
  expect(nearest("xyz", keys)).toBeUndefined();
  expect(didYouMean("xyz", keys)).toBe("known: listen, database, repositories, environments");
  expect(didYouMean("xyz", [])).toBeUndefined();
});
