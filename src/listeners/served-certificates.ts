/**
 * The certificates of a listener, as they are served now. Files that change are read again; what is not wholly good changes
 * nothing and is told once, and told when it is good again. What ends within 14 days is told once a day.
 */
import type { SecureContext } from "node:tls";
import type { Log } from "../base/index.ts";
import { findByName } from "./server-names.ts";
import {
  checkTlsSettings,
  namesOfFiles,
  readTlsFiles,
  type ServedCertificate,
  type TlsMaterial,
} from "./tls-files.ts";
import type { TlsSettings } from "./tls-settings.ts";
import { WatchedFiles } from "./watched-files.ts";

const dayMilliseconds = 86_400_000;
const warningDays = 14;

export interface CertificateOptions {
  readonly settings: TlsSettings;
  readonly listener: string;
  readonly log: Log;
}

export class ServedCertificates {
  readonly #options: CertificateOptions;
  readonly #files: WatchedFiles;
  #material: TlsMaterial;
  /** Why the files as they are now are not served. */
  #trouble: string | undefined = undefined;
  #expiriesToldAt = 0;

  private constructor(options: CertificateOptions, files: WatchedFiles, material: TlsMaterial) {
    this.#options = options;
    this.#files = files;
    this.#material = material;
    this.#tellExpiries();
  }

  /** @throws TstackError CERTIFICATE_INVALID */
  static async open(options: CertificateOptions): Promise<ServedCertificates> {
    checkTlsSettings(options.settings);
    const files = await WatchedFiles.look(namesOfFiles(options.settings));
    return new ServedCertificates(options, files, await readTlsFiles(options.settings));
  }

  /** Who asks for no name that another has gets this. */
  get first(): ServedCertificate {
    return this.#material.served[0];
  }

  /** Undefined where the first serves. */
  contextFor(name: string): SecureContext | undefined {
    const found = findByName(this.#material.served, name);
    return found === this.first ? undefined : found?.context;
  }

  /** Calls back when others are to be served. */
  watch(milliseconds: number, renewed: () => void): void {
    this.#files.watch(milliseconds, async (hasChanged) => {
      if (hasChanged && (await this.#readAgain())) renewed();
      if (Date.now() - this.#expiriesToldAt >= dayMilliseconds) this.#tellExpiries();
    });
  }

  close(): void {
    this.#files.close();
  }

  async #readAgain(): Promise<boolean> {
    const { settings, listener, log } = this.#options;
    try {
      this.#material = await readTlsFiles(settings);
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#trouble) {
        log.error(
          { listener, why: message },
          "changed certificates are not good: it serves the old",
        );
      }
      this.#trouble = message;
      return false;
    }
    const until = this.first.certificate.validToDate.toISOString();
    log.info(
      { listener, until },
      this.#trouble === undefined
        ? "serves the renewed certificates"
        : "the certificates are good again, and served",
    );
    this.#trouble = undefined;
    this.#tellExpiries();
    return true;
  }

  #tellExpiries(): void {
    const { listener, log } = this.#options;
    this.#expiriesToldAt = Date.now();
    for (const { file, what, at } of this.#material.expiries) {
      const days = (at.getTime() - Date.now()) / dayMilliseconds;
      if (days >= warningDays) continue;
      const fields = { listener, file, until: at.toISOString() };
      if (days <= 0) log.error(fields, `${what} has expired: renew it`);
      else log.warn(fields, `${what} ends in ${Math.ceil(days)} days: renew it`);
    }
  }
}
