import { describe, expect, it } from "vitest";
import { addressBy } from "../../src/model/repository-url.ts";

describe("the address of a repository by a pattern", () => {
  it.each([
    [
      "https://git.example.com/shop/*",
      "git@git.example.com:shop/checkout.git",
      "https://git.example.com/shop/checkout.git",
    ],
    [
      "https://git.example.com/shop/*",
      "https://GIT.example.com/shop/team/api",
      "https://git.example.com/shop/team/api.git",
    ],
    ["git@git.example.com:shop/*", "https://git.example.com/shop/api", "git@git.example.com:shop/api.git"],
    [
      "ssh://git@git.example.com:2222/shop/*",
      "https://git.example.com/shop/api",
      "ssh://git@git.example.com:2222/shop/api.git",
    ],
    ["https://git.example.com/*", "https://git.example.com/shop/api", "https://git.example.com/shop/api.git"],
    ["https://git.example.com/shop/api", "git@git.example.com:shop/api.git", "https://git.example.com/shop/api"],
  ])("%s covers %s", (pattern, url, address) => {
    expect(addressBy(pattern, url)).toBe(address);
  });

  it.each([
    ["https://git.example.com/shop/*", "https://git.example.com/shopping/api"],
    ["https://git.example.com/shop/*", "https://git.example.com/shop"],
    ["https://git.example.com/shop/*", "https://git.example.com.evil.net/shop/api"],
    ["https://git.example.com/shop/*", "https://evil.net/git.example.com/shop/api"],
    ["https://git.example.com/shop/*", "git@git.example.com:shop/../secret"],
    ["https://git.example.com/shop/*", "git@git.example.com:shop/a b"],
    ["https://git.example.com/shop/*", "git@git.example.com:shop/-x"],
    ["https://git.example.com/shop/api", "https://git.example.com/shop/api2"],
  ])("%s does not cover %s", (pattern, url) => {
    expect(addressBy(pattern, url)).toBeUndefined();
  });
});
