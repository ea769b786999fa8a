import { describe, expect, it } from 'vitest';
import { decodeBase64url } from '../src/base64url.ts';
import { importKey, jwkThumbprint, verifyJwt, type JwtKey } from '../src/index.ts';
import { Fault } from '../src/fault.ts';
import { signatureFault, splitJws } from '../src/jws.ts';
import { expectRefusal } from './fixtures.ts';

const payload = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
const claims = { iss: 'joe', exp: 1300819380, 'http://example.com/is_root': true };
const now = new Date(1300819379 * 1000);

/** https://www.rfc-editor.org/rfc/rfc7515.html#appendix-A */
const rfc7515 = {
  A1: {
    algorithm: 'HS256',
    jwk: { kty: 'oct', k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow' },
    token: `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
  },
  A2: {
    algorithm: 'RS256',
    jwk: {
      kty: 'RSA',
      n:
        'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pC' +
        'gNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg6' +
        '65xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRW' +
        'yuXpoQ',
      e: 'AQAB',
    },
    token:
      `eyJhbGciOiJSUzI1NiJ9.${payload}.` +
      'cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t' +
      '1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12j' +
      'zDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQ' +
      'Ge77Rw',
  },
  A3: {
    algorithm: 'ES256',
    jwk: {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    },
    token:
      `eyJhbGciOiJFUzI1NiJ9.${payload}.` +
      'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
  },
} as const;

/** The examples whose payload is no JSON object: the signature fits, a JWT it is not. */
const plainPayloads = {
  'RFC 7515 A.4': {
    url: 'https://www.rfc-editor.org/rfc/rfc7515.html#appendix-A.4',
    payload: 'Payload',
    jwk: {
      kty: 'EC',
      crv: 'P-521',
      x: 'AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk',
      y: 'ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2',
    },
    token:
      'eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34X' +
      'O0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn',
  },
  'RFC 8037 A.4': {
    url: 'https://www.rfc-editor.org/rfc/rfc8037.html#appendix-A.4',
    payload: 'Example of Ed25519 signing',
    jwk: {
      kty: 'OKP',
      crv: 'Ed25519',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
      d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    },
    token:
      'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4' +
      'ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
  },
} as const;

describe('RFC 7515, appendix A', () => {
  it.each(Object.entries(rfc7515))('verifies example %s', (_name, { jwk, algorithm, token }) => {
    const key = importKey(jwk, { algorithm });
    expect(verifyJwt(token, { keys: key, issuer: 'joe', now }).claims).toEqual(claims);
    expectRefusal('expired', () => verifyJwt(token, { keys: key, issuer: 'joe' }));
  });

  it('refuses example A5, which nobody signed', () => {
    const key = importKey(rfc7515.A1.jwk, { algorithm: 'HS256' });
    expectRefusal('token_malformed', () => verifyJwt(`eyJhbGciOiJub25lIn0.${payload}.`, { keys: key, now }));
  });
});

describe('the examples over plain text', () => {
  it.each(Object.entries(plainPayloads))('verifies the signature of %s and refuses it as a JWT', (_name, example) => {
    const key: JwtKey = importKey(example.jwk);
    const jws = splitJws(example.token, 8192);
    if (jws instanceof Fault) throw jws.toError();
    expect(signatureFault(jws, key)).toBeUndefined();
    expect(decodeBase64url(jws.payload)?.toString()).toBe(example.payload);
    expectRefusal('token_malformed', () => verifyJwt(example.token, { keys: key, now }));
  });
});

describe('thumbprints', () => {
  it('computes the thumbprint of RFC 7638, section 3.1', () => {
    const jwk = {
      kty: 'RSA',
      n:
        '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj' +
        'hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ' +
        'vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK' +
        'nqDKgw',
      e: 'AQAB',
      alg: 'RS256',
      kid: '2011-04-29',
    };
    expect(jwkThumbprint(jwk)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
    expect(jwkThumbprint(importKey(jwk))).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  });

  it('computes the thumbprint of RFC 8037, appendix A.3, of both halves', () => {
    const { jwk } = plainPayloads['RFC 8037 A.4'];
    expect(jwkThumbprint(jwk)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
    expect(jwkThumbprint(importKey(jwk))).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it('refuses a key that lacks a required member', () => {
    expectRefusal('key_invalid', () => jwkThumbprint({ kty: 'RSA', e: 'AQAB' }));
    expectRefusal('key_invalid', () => jwkThumbprint({ kty: 'EC', crv: 'P-256K', x: 'AA', y: 'AA' }));
    expectRefusal('key_invalid', () => jwkThumbprint({ kty: 'toString' }));
  });
});
