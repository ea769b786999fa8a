/**
 * ECDSA signatures in their two forms: JWS has r and s side by side, each as long as a coordinate (RFC 7518,
 * section 3.4); OpenSSL works on the DER of `SEQUENCE { r INTEGER, s INTEGER }`. Node converts too, but at a price that
 * on Node 24 is half of the verification itself.
 */
const sequence = 0x30;
const integer = 0x02;

/** DER of a signature whose halves are `size` bytes each. */
export function toDer(signature: Buffer, size: number): Buffer {
  const r = derInteger(signature.subarray(0, size));
  const s = derInteger(signature.subarray(size));
  const length = r.length + s.length;
  const head = length < 0x80 ? [sequence, length] : [sequence, 0x81, length];
  return Buffer.concat([Buffer.from(head), r, s]);
}

/** The halves of a DER signature that OpenSSL made, `size` bytes each. */
export function fromDer(der: Buffer, size: number): Buffer {
  const signature = Buffer.alloc(2 * size);
  const start = (der[1] ?? 0) < 0x80 ? 2 : 3;
  const rEnd = start + 2 + (der[start + 1] ?? 0);
  copyInteger(der.subarray(start + 2, rEnd), signature, size);
  copyInteger(der.subarray(rEnd + 2), signature, 2 * size);
  return signature;
}

/** The shortest form of an unsigned number: no zeros in front, but one where the first bit would read as a minus. */
function derInteger(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const digits = bytes.subarray(start);
  const sign = (digits[0] ?? 0) >= 0x80 ? [0] : [];
  return Buffer.concat([Buffer.from([integer, digits.length + sign.length, ...sign]), digits]);
}

/** Writes a number so that it ends at `end`; in front of it at most one zero byte is dropped. */
function copyInteger(bytes: Buffer, target: Buffer, end: number): void {
  const digits = bytes[0] === 0 ? bytes.subarray(1) : bytes;
  digits.copy(target, end - digits.length);
}
