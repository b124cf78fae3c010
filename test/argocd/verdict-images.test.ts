import { expect, test } from "vitest";
import { proveImages } from "../../src/argocd/verdict/images.ts";

const R = "registry.example.com/shop/checkout";
const A = `sha256:${"a".repeat(64)}`;
const B = `sha256:${"b".repeat(64)}`;
const proven = (wanted: string[], running: string[], more: { old?: string[]; applied?: string[] } = {}) =>
  proveImages({ new: wanted, old: more.old ?? [] }, { running, applied: more.applied ?? [] }).proven;

test("every new image must be named by a Pod and no old one", () => {
  expect(proven([`${R}:2`], [`${R}:2`])).toBe(true);
  expect(proven([`${R}:2`], [`${R}:1`])).toBe(false);
  expect(proven([`${R}:2`], [`${R}:1`, `${R}:2`], { old: [`${R}:1`] })).toBe(false);
  expect(proven([`${R}:2`, `${R}-worker:2`], [`${R}:2`, `${R}-worker:1`])).toBe(false);
});

test("a tag that only gets its digest pinned is no old image", () => {
  expect(proven([`${R}:1@${A}`], [`${R}:1@${A}`], { old: [`${R}:1`] })).toBe(true);
  expect(proven([`${R}:1@${A}`], [`${R}:1@${A}`, `${R}:0`], { old: [`${R}:0`] })).toBe(false);
});

test("no image wanted proves nothing", () => {
  expect(proven([], [`${R}:2`])).toBe(false);
});

test("the digest decides where both have one", () => {
  expect(proven([`${R}:2@${A}`], [`${R}@${A}`])).toBe(true);
  expect(proven([`${R}:2@${A}`], [`${R}:2@${B}`])).toBe(false);
  expect(proven([`${R}:2@${A}`], [`${R}:2`])).toBe(true);
  expect(proven([`${R}:2`], [`${R}@${A}`])).toBe(false);
});

test("an image that was and is called the same is not proven by its name", () => {
  expect(proven([`${R}:latest@${B}`], [`${R}:latest`], { old: [`${R}:latest@${A}`] })).toBe(false);
});

test("where no Pod is the applied manifests prove it, where Pods are they do not", () => {
  expect(proven([`${R}:2`], [], { applied: [`${R}:2`] })).toBe(true);
  expect(proven([`${R}:2`], ["postgres:18"], { applied: [`${R}:2`] })).toBe(true);
  expect(proven([`${R}:2`], [`${R}:1`], { applied: [`${R}:2`] })).toBe(false);
  expect(proven([`${R}:2`], [`mirror.example.com/checkout:1`], { applied: [`${R}:2`] })).toBe(false);
  expect(proven([`${R}:2`], [])).toBe(false);
});

test("Docker Hub's long and short names are one, a port is no tag", () => {
  expect(proven(["docker.io/library/nginx:1.29"], ["nginx:1.29"])).toBe(true);
  expect(proven(["127.0.0.1:5000/shop/web:1"], ["127.0.0.1:5000/shop/web:1"])).toBe(true);
  expect(proven(["127.0.0.1:5000/shop/web"], ["127.0.0.1:5000/shop/web:latest"])).toBe(true);
});
