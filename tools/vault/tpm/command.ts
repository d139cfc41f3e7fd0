/**
 * The commands of a TPM 2.0 by which it keeps 32 bytes (TCG TPM 2.0 Library, parts 2 and 3): its storage key is derived anew
 * from the seed of the owner hierarchy each time, and what is sealed under it opens in this TPM alone, until somebody clears it.
 *
 * We write these five commands ourselves because the well-kept programs are large: tpm2-tools would bring libtss2 and, for
 * fetching certificates, libcurl with Kerberos, LDAP and HTTP/2 into a root that has none of them. No cryptography is done here.
 */

const tag_plain = 0x8001;
const tag_sessions = 0x8002;
const owner = 0x4000_0001;
const password_session = 0x4000_0009;

const command_codes = { CreatePrimary: 0x131, Create: 0x153, Load: 0x157, Unseal: 0x15e, FlushContext: 0x165 } as const;
export type TpmCommand = keyof typeof command_codes;

const alg = { null: 0x0010, sha256: 0x000b, ecc: 0x0023, keyedhash: 0x0008, aes: 0x0006, cfb: 0x0043 } as const;
const curve_p256 = 0x0003;

/** TPMA_OBJECT */
const attribute = {
  fixedTPM: 1 << 1,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  userWithAuth: 1 << 6,
  noDA: 1 << 10,
  restricted: 1 << 16,
  decrypt: 1 << 17,
} as const;

/** What a TPM answered instead of doing it. */
export class TpmError extends Error {
  override readonly name = "TpmError";
  constructor(
    readonly command: TpmCommand,
    /** TPM_RC */
    readonly code: number,
  ) {
    super(`the TPM answered ${command} with ${rcName(code)}`);
  }

  /** The blob is not one of this TPM, or of it as it was before it was cleared. */
  get foreign(): boolean {
    return base(this.code) === 0x9f;
  }

  /** It asks to be asked again: TPM_RC_RETRY, TPM_RC_YIELDED, TPM_RC_TESTING. */
  get again(): boolean {
    return [0x922, 0x908, 0x90a].includes(this.code);
  }
}

/** Of a code of format one (part 2, 6.6.2) what is left without the number of handle, session or parameter. */
function base(code: number): number {
  return (code & 0x80) === 0 ? code : code & 0xbf;
}

const rc_names: Readonly<Record<number, string>> = {
  159: "TPM_RC_INTEGRITY",
  162: "TPM_RC_BAD_AUTH",
  142: "TPM_RC_AUTH_FAIL",
  256: "TPM_RC_INITIALIZE",
  257: "TPM_RC_FAILURE",
  288: "TPM_RC_DISABLED",
  2306: "TPM_RC_OBJECT_MEMORY",
  2337: "TPM_RC_LOCKOUT",
};

function rcName(code: number): string {
  const hex = `0x${code.toString(16)}`;
  const name = rc_names[base(code)];
  return name === undefined ? hex : `${name} (${hex})`;
}

function u8(value: number): Buffer {
  return Buffer.of(value);
}
function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
/** TPM2B: a size, then so many bytes. */
function sized(...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u16(body.length), body]);
}
const nothing = sized();

/** A password session with an empty password, as the only authorisation. */
const authorisation = (() => {
  const session = Buffer.concat([u32(password_session), nothing, u8(0), nothing]);
  return Buffer.concat([u32(session.length), session]);
})();

function command(name: TpmCommand, handle: number, authorised: boolean, ...parameters: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat([u32(command_codes[name]), u32(handle), ...(authorised ? [authorisation] : []), ...parameters]);
  return Buffer.concat([u16(authorised ? tag_sessions : tag_plain), u32(6 + body.length), body]);
}

/** The storage key: ECC P-256 with AES-128-CFB, as the TCG's provisioning guidance has it. */
const storage_key = sized(
  ...[u16(alg.ecc), u16(alg.sha256)],
  u32(
    attribute.fixedTPM |
      attribute.fixedParent |
      attribute.sensitiveDataOrigin |
      attribute.userWithAuth |
      attribute.noDA |
      attribute.restricted |
      attribute.decrypt,
  ),
  ...[nothing, u16(alg.aes), u16(128), u16(alg.cfb), u16(alg.null), u16(curve_p256), u16(alg.null), nothing, nothing],
);

const sealed_data = sized(
  ...[u16(alg.keyedhash), u16(alg.sha256)],
  u32(attribute.fixedTPM | attribute.fixedParent | attribute.userWithAuth | attribute.noDA),
  ...[nothing, u16(alg.null), nothing],
);

/** Of TPM2B_SENSITIVE_CREATE: an empty password, and what is to be sealed. */
function sensitive(data: Uint8Array): Buffer {
  return sized(nothing, sized(data));
}

const no_outside_info_and_pcrs = Buffer.concat([nothing, u32(0)]);

export const commands = {
  createPrimary: () => command("CreatePrimary", owner, true, sensitive(Buffer.alloc(0)), storage_key, no_outside_info_and_pcrs),
  create: (parent: number, data: Uint8Array) => command("Create", parent, true, sensitive(data), sealed_data, no_outside_info_and_pcrs),
  load: (parent: number, blob: SealedBlob) => command("Load", parent, true, sized(blob.private), sized(blob.public)),
  unseal: (handle: number) => command("Unseal", handle, true),
  flush: (handle: number) => command("FlushContext", handle, false),
} as const;

export interface SealedBlob {
  readonly private: Uint8Array;
  readonly public: Uint8Array;
}

/** Reads the answer to a command. @throws {TpmError} when it was refused. @throws when it is no answer */
export class Answer {
  readonly #bytes: Buffer;
  #at = 10;

  constructor(command: TpmCommand, bytes: Buffer) {
    if (bytes.length < 10 || bytes.readUInt32BE(2) !== bytes.length)
      throw new Error(`reading the TPM's answer to ${command} failed: it is ${bytes.length} bytes that do not fit their header`);
    const code = bytes.readUInt32BE(6);
    if (code !== 0) throw new TpmError(command, code);
    this.#bytes = bytes;
  }

  handle(): number {
    return this.#take(4).readUInt32BE();
  }

  /** The size of the parameters, which stands before them when there are sessions. */
  parameters(): this {
    this.#take(4);
    return this;
  }

  sized(): Buffer {
    return Buffer.from(this.#take(this.#take(2).readUInt16BE()));
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new Error("reading the TPM's answer failed: it ends too early");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
