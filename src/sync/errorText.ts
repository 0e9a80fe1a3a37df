/** What an unknown error says, for logs and answers. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
