import { JwtError, type JwtErrorCode, type JwtErrorDetails, type NoDetails } from './errors.ts';

/**
 * A refusal as a value. Rules return it, and only the edge makes an error of it: `tryVerifyJwt` never does, because an
 * error costs a hundred times more than the verdict itself.
 */
export class Fault<Code extends JwtErrorCode = JwtErrorCode> {
  readonly code: Code;
  readonly details: JwtErrorDetails[Code];
  /** The error behind it, where there is one. */
  readonly cause: unknown;

  constructor(code: Code, details: JwtErrorDetails[Code], cause?: unknown) {
    this.code = code;
    this.details = details;
    this.cause = cause;
  }

  toError(): JwtError<Code> {
    return new JwtError(this.code, this.details, this.cause === undefined ? undefined : { cause: this.cause });
  }
}

/** What a rule has to say when it holds nothing against a token. */
export type Verdict<Value> = Value | Fault;

/** Shared by all that have none. */
const none: NoDetails = Object.freeze({});

/** The faults without details, made once. */
export const faults: {
  readonly malformed: Fault<'token_malformed'>;
  readonly critical: Fault<'critical_header_unsupported'>;
  readonly keyNotFound: Fault<'key_not_found'>;
  readonly signatureInvalid: Fault<'signature_invalid'>;
} = {
  malformed: new Fault('token_malformed', none),
  critical: new Fault('critical_header_unsupported', none),
  keyNotFound: new Fault('key_not_found', none),
  signatureInvalid: new Fault('signature_invalid', none),
};
