/** The few calls of the HTTP interface that the demo makes. */

export interface DeliveryView {
  id: string;
  /** Its build's id. */
  build: string;
  target: string;
  kind: string;
  phase: string;
  outcome?: string;
  reason?: string;
  message?: string;
  waitReason?: string;
  commit?: string;
  revertedBy?: string;
  createdAt: string;
  events?: { at: string; kind: string; message: string }[];
  /** By what it was proven. */
  trust?: { images: { digest: string; signers: string[] }[] };
}

export interface BuildView {
  id: string;
  done: boolean;
  written: boolean;
  deliveries: DeliveryView[];
}

export class DemoClient {
  readonly #address: string;
  readonly #token: string;

  constructor(address: string, token: string) {
    this.#address = address;
    this.#token = token;
  }

  send(report: Record<string, unknown>): Promise<BuildView> {
    return this.#call<BuildView>("/v1/builds", { method: "POST", body: JSON.stringify(report) });
  }

  /** Waits until every delivery of the build is written or done. */
  async wait(id: string, until: "written" | "done"): Promise<BuildView> {
    for (;;) {
      const build = await this.#call<BuildView>(`/v1/builds/${id}?wait=30s&until=${until}`);
      if (build[until]) return build;
    }
  }

  async deliveries(query: Record<string, string>): Promise<DeliveryView[]> {
    const list = await this.#call<{ items: DeliveryView[] }>(`/v1/deliveries?${new URLSearchParams(query).toString()}`);
    return list.items;
  }

  delivery(id: string): Promise<DeliveryView> {
    return this.#call<DeliveryView>(`/v1/deliveries/${id}`);
  }

  async #call<T>(path: string, init: RequestInit = {}): Promise<T> {
    const headers = { authorization: `Bearer ${this.#token}`, "content-type": "application/json" };
    const response = await fetch(`${this.#address}${path}`, { ...init, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method ?? "GET"} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }
}
