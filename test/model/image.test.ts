import { describe, expect, it } from "vitest";
import { formatImageReference, parseImageReference } from "../../src/model/image.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("image reference", () => {
  it.each([
    ["busybox", { repository: "busybox" }],
    ["127.0.0.1:5000/demo/web:t1", { repository: "127.0.0.1:5000/demo/web", tag: "t1" }],
    [`registry.example.com/a/b@${digest}`, { repository: "registry.example.com/a/b", digest }],
    [`registry.example.com/a/b:1.0@${digest}`, { repository: "registry.example.com/a/b", tag: "1.0", digest }],
    ["[fd00::1]:5000/a:1", { repository: "[fd00::1]:5000/a", tag: "1" }],
  ])("%s is taken apart and put together again", (text, parts) => {
    expect(parseImageReference(text)).toEqual(parts);
    expect(formatImageReference(parseImageReference(text))).toBe(text);
  });

  it.each([
    ["", "not an image repository"],
    ["a/Upper:1", "not an image repository"],
    ["a/b:", "not a tag"],
    ["a/b:-x", "not a tag"],
    [`a/b:${"x".repeat(129)}`, "not a tag"],
    ["a/b@sha256:12", "not a sha256 digest"],
    ["a/b@md5:12", "not a sha256 digest"],
    ["a//b", "not an image repository"],
    ["a/b\n:1", "not an image repository"],
    [`${"a/".repeat(200)}b`, "not an image repository"],
  ])("%j is refused", (text, why) => {
    expect(() => parseImageReference(text)).toThrow(why);
  });
});
