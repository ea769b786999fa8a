/** What must never stand in a log line, at whatever depth, and what stands there instead. */
const redactions: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, '[token]'],
  [/\bspfeed_[\w-]{8,}/g, '[credential]'],
  // A refresh token: 31 bytes in base64url that begin with its version, 1.
  [/(?<![\w-])A[Q-Za-f][\w-]{40}(?![\w-])/g, '[token]'],
  [/\b(bearer|basic) +[\w.~+/=-]{8,}/gi, '$1 [credentials]'],
  [/(:\/\/[^:/?#@\s"]*):[^@/\s"]+@/g, '$1:[password]@'],
  [
    /("(?:authorization|cookie|set-cookie|credential|(?:\w*_?)(?:password|secret|token)|secret_?key|private_?key)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi,
    '$1"[redacted]"',
  ],
];

/** Takes secrets out of a finished log line: the second net, for what no line should have held in the first place. */
export function redact(line: string): string {
  return redactions.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line);
}
