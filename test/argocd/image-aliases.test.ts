import { expect, test } from "vitest";
import { ImageAliases } from "../../src/argocd/image-aliases.ts";

const aliases = new ImageAliases([
  { mirror: "mirror.internal:5000", original: "docker.io" },
  { mirror: "mirror.internal:5000/shop", original: "registry.example.com/shop" },
]);

const read = (image: string): string | undefined => {
  const pod = { name: "p", images: [image], ready: true, restarts: 0, reason: "", owner: "" };
  const health = [{ resource: "Deployment/shop/web", status: "Healthy", images: [image] }];
  const found = aliases.inspection({ kind: "workloads", pods: [pod], health });
  expect(found.health?.[0]?.images).toEqual(found.pods?.[0]?.images);
  return found.pods?.[0]?.images[0];
};

test("the longest alias counts, and only at the end of a name's part", () => {
  const digest = `@sha256:${"a".repeat(64)}`;
  expect(read(`mirror.internal:5000/shop/web:1.0${digest}`)).toBe(`registry.example.com/shop/web:1.0${digest}`);
  expect(read("mirror.internal:5000/library/nginx:1")).toBe("docker.io/library/nginx:1");
  expect(read("mirror.internal:5000/shop:1")).toBe("registry.example.com/shop:1");
  expect(read("mirror.internal:5000/shopping/web:1")).toBe("docker.io/shopping/web:1");
  expect(read("mirror.internal:50001/shop/web:1")).toBe("mirror.internal:50001/shop/web:1");
  expect(read("registry.example.com/shop/web:1")).toBe("registry.example.com/shop/web:1");
});

test("what was not inspected stays so", () => {
  expect(aliases.inspection({ kind: "policy", canSync: true })).toEqual({ kind: "policy", canSync: true });
});
