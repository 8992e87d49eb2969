/** Certificates for a test, made by openssl: a CA, a server called localhost and a client, as .crt and .key files. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";

export function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...newKey, ...["-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca"]);
  writeFileSync(path.join(folder, "names"), "subjectAltName=DNS:localhost");
  for (const name of ["server", "client"]) {
    openssl(
      "req",
      ...newKey,
      ...["-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`],
    );
    const signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
    openssl("x509", "-req", ...["-in", `${name}.csr`, "-out", `${name}.crt`], ...signing);
  }
}
