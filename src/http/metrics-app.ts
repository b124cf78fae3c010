import fastify, { type FastifyInstance } from "fastify";

/** The page that Prometheus reads, on a port of its own: it needs no token and shows no names. */
export function createMetricsApp(metrics: { page(): Promise<{ contentType: string; body: string }> }): FastifyInstance {
  const app = fastify();
  app.get("/metrics", (_request, reply) =>
    metrics.page().then(({ contentType, body }) => reply.type(contentType).send(body)),
  );
  return app;
}
