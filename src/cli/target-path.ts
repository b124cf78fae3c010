import { InvalidArgumentError } from "commander";

/** `checkout/prod`, as the value of an argument or option. */
export function targetOption(text: string): string {
  if (!/^[^/]+\/[^/]+$/.test(text)) throw new InvalidArgumentError("Write it as app/environment.");
  return text;
}

/** `v1/targets/checkout/prod` */
export function targetPath(target: string): string {
  return `v1/targets/${target.split("/").map(encodeURIComponent).join("/")}`;
}
