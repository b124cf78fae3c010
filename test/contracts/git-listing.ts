import { expect, it } from "vitest";
import type { GitRepository } from "../../src/delivery/ports.ts";
import type { SeedFile } from "../fakes/bare-repository.ts";

interface ListedSubject {
  repository: Pick<GitRepository, "tip" | "listFiles">;
  commit(files: Readonly<Record<string, SeedFile>>, message: string): Promise<unknown>;
}

const { signal } = new AbortController();

/** How folders are listed; part of the contract of GitRepository. */
export function listingTests(subject: () => ListedSubject, seed: Readonly<Record<string, SeedFile>>): void {
  const list = async (folders: string[]): Promise<(string[] | undefined)[]> => {
    const { repository } = subject();
    const listed = await repository.listFiles(await repository.tip("main", signal), folders, signal);
    return folders.map((folder) => listed.get(folder)?.toSorted());
  };
  const below = (folder: string): string[] =>
    Object.keys(seed)
      .filter((path) => path.startsWith(folder) && !/^(?:link|vendor)/.test(path))
      .toSorted();

  it("lists the files of folders and what is below them, links and submodules left out", async () => {
    const folders = ["apps", "apps/checkout/overlays", ""];
    expect(await list(folders)).toEqual([below("apps/"), below("apps/checkout/overlays/"), below("")]);
    const nothing = ["link", "linked-dir", "nothing", "../x", ".git", "README.md"];
    expect(await list(nothing)).toEqual(nothing.map(() => []));
  });

  it("does not list a folder with more files than one app has", async () => {
    const many = Array.from({ length: 5_001 }, (_, index) => [`many/deep/${index}.yaml`, "a: 1\n"] as const);
    await subject().commit(Object.fromEntries(many), "many");
    expect(await list(["many", "apps/checkout/base"])).toEqual([undefined, below("apps/checkout/base/")]);
  });
}
