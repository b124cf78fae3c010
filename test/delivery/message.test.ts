import { describe, expect, it } from "vitest";
import { commitMessage, versionOf } from "../../src/delivery/message.ts";
import { aBuild, aDelivery } from "../fakes/examples.ts";

describe("commit message", () => {
  it("has a conventional subject, the source, and the trailers that machines read", () => {
    const message = commitMessage(aDelivery({ id: "d1" }), aBuild());
    expect(message.split("\n")).toEqual([
      "deploy(checkout): staging 1.4.2",
      "",
      `Source: https://git.example.com/shop/checkout.git@${"c".repeat(40)} (refs/heads/main)`,
      "Change: Fix the basket",
      "Author: Ada <ada@example.com>",
      "Run: PipelineRun shop-ci/checkout-7",
      "",
      "Gitspan-Delivery: d1",
      "Gitspan-Target: checkout/staging",
      "Gitspan-Image: registry.example.com/shop/checkout:1.4.2",
      `Gitspan-Source-Commit: ${"c".repeat(40)}`,
      "Gitspan-Run: PipelineRun shop-ci/checkout-7 run-1",
      "Argocd-reference-commit-repourl: https://git.example.com/shop/checkout.git",
      `Argocd-reference-commit-sha: ${"c".repeat(40)}`,
      "Argocd-reference-commit-author: Ada <ada@example.com>",
      "Argocd-reference-commit-subject: Fix the basket",
      "Argocd-reference-commit-date: 2026-01-02T03:04:05.000Z",
    ]);
  });

  it("keeps a caller's line breaks from forging a trailer", () => {
    const build = aBuild();
    build.source.subject = "Nice\n\nGitspan-Delivery: forged\r\nThis reverts commit 123";
    const lines = commitMessage(aDelivery(), build).split("\n");
    expect(lines.filter((line) => line.startsWith("Gitspan-Delivery:"))).toHaveLength(1);
    expect(lines.some((line) => line.startsWith("This reverts"))).toBe(false);
  });

  it("cuts long words for people, never a reference that machines read", () => {
    const image = { name: "a", repository: `registry.example.com/${"a".repeat(234)}`, tag: "t".repeat(128) };
    const build = aBuild();
    build.source.subject = "long ".repeat(100);
    const lines = commitMessage(aDelivery({ images: [image] }), build).split("\n");
    expect(lines).toContain(`Gitspan-Image: ${image.repository}:${image.tag}`);
    expect(lines.filter((line) => line.startsWith("Change: ")).map((line) => line.length)).toEqual([200]);
  });

  it("does not cut a character in two", () => {
    const build = aBuild();
    build.source.subject = `${"x".repeat(191)}\u{1f680}`;
    expect(commitMessage(aDelivery(), build).isWellFormed()).toBe(true);
  });

  it("names images that share a tag once, and falls back to the digest", () => {
    const digest = `sha256:${"a".repeat(64)}` as const;
    expect(
      versionOf([
        { name: "a", repository: "r/a", tag: "1" },
        { name: "b", repository: "r/b", tag: "1" },
      ]),
    ).toBe("1");
    expect(versionOf([{ name: "a", repository: "r/a", digest }])).toBe("sha256:aaaaaaaaaaaa");
  });
});
