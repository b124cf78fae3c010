import { createHash, type KeyObject, sign } from "node:crypto";
import { field, publicBlobOf } from "./openssh-key.ts";

const MAGIC = "SSHSIG";
const VERSION = Buffer.from([0, 0, 0, 1]);
/** What signatures of commits and tags are for (gitformat-signature(5)); ssh-keygen refuses one made for anything else. */
const NAMESPACE = "git";
const HASH = "sha512";
const LINE = 70;

/** A signature of the bytes as `ssh-keygen -Y sign -n git` makes it (openssh's PROTOCOL.sshsig), armoured. */
export function sshSignature(key: KeyObject, bytes: Uint8Array): string {
  const digest = createHash(HASH).update(bytes).digest();
  const about = Buffer.concat([field(NAMESPACE), field(""), field(HASH)]);
  const signature = sign(null, Buffer.concat([Buffer.from(MAGIC), about, field(digest)]), key);
  const proof = field(Buffer.concat([field("ssh-ed25519"), field(signature)]));
  const blob = Buffer.concat([Buffer.from(MAGIC), VERSION, field(publicBlobOf(key)), about, proof]);
  const lines = blob.toString("base64").match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----"].join("\n");
}
