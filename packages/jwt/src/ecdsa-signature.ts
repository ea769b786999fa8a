/**
 * ECDSA signatures in their two forms: JWS has r and s side by side, each as long as a coordinate (RFC 7518,
 * section 3.4); OpenSSL works on the DER of `SEQUENCE { r INTEGER, s INTEGER }`. Node converts too, but at a price that
 * on Node 24 is half of the verification itself.
 */
const sequence = 0x30;
const integer = 0x02;

/** The longest there is: two numbers of P-521. Everything here is synchronous, so one buffer serves all calls. */
const scratch = Buffer.alloc(2 * (66 + 3) + 3);

/** Its beginnings, by length: making a view takes longer than writing what is in it. */
const beginnings: Buffer[] = [];

/** DER of a signature whose halves are `size` bytes each; good until the next call. */
export function toDer(signature: Buffer, size: number): Buffer {
  const [rStart, sStart] = [firstDigit(signature, 0, size), firstDigit(signature, size, 2 * size)];
  const [rLength, sLength] = [derLength(signature, rStart, size), derLength(signature, sStart, 2 * size)];
  let end = 0;
  scratch[end++] = sequence;
  if (rLength + sLength + 4 >= 0x80) scratch[end++] = 0x81;
  scratch[end++] = rLength + sLength + 4;
  end = writeInteger(signature, rStart, size, end);
  end = writeInteger(signature, sStart, 2 * size, end);
  return (beginnings[end] ??= scratch.subarray(0, end));
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

/** Where an unsigned number begins in its shortest form: behind the zeros in front, of which one stays for zero itself. */
function firstDigit(bytes: Buffer, start: number, end: number): number {
  let first = start;
  while (first < end - 1 && bytes[first] === 0) first += 1;
  return first;
}

/** Octets of an unsigned number in DER: one zero more where the first bit would read as a minus. */
function derLength(bytes: Buffer, first: number, end: number): number {
  return end - first + ((bytes[first] ?? 0) >> 7);
}

/** Writes an unsigned number behind what stands in the scratch buffer; returns where it ends. */
function writeInteger(bytes: Buffer, first: number, end: number, at: number): number {
  const length = derLength(bytes, first, end);
  scratch[at] = integer;
  scratch[at + 1] = length;
  scratch[at + 2] = 0;
  const target = at + 2 + length - (end - first);
  for (let index = first; index < end; index += 1) scratch[target + index - first] = bytes[index] ?? 0;
  return at + 2 + length;
}

/** Writes a number so that it ends at `end`; in front of it at most one zero byte is dropped. */
function copyInteger(bytes: Buffer, target: Buffer, end: number): void {
  const digits = bytes[0] === 0 ? bytes.subarray(1) : bytes;
  digits.copy(target, end - digits.length);
}
