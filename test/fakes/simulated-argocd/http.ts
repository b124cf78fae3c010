import type { IncomingMessage, ServerResponse } from "node:http";

export interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  /** Path parts, decoded. */
  path: string[];
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

/** Kubernetes' error object. */
export function statusOf(code: number, reason: string, message: string): Record<string, unknown> {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code };
}

/** The error object of Argo CD's gateway; codes are gRPC's. */
export function sendGatewayError(response: ServerResponse, status: number, code: number, message: string): void {
  sendJson(response, status, { error: message, code, message });
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
