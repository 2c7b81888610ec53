# One image for all services. The command says which one a container runs: services/<name>/src/main.ts
ARG BASE=node:24-slim

# The manifests alone, so that libraries are installed anew only when a manifest changes.
FROM ${BASE} AS manifests
WORKDIR /srv/tieline
COPY . .
RUN find . -type f ! -name package.json ! -name 'pnpm-*.yaml' -delete

# The libraries that PARTS need to run, in the layout of the workspace: Node strips no types below node_modules, so the
# parts of the workspace must stay links. What was not installed is not needed and goes.
FROM ${BASE} AS libraries
ARG PARTS=services/*
WORKDIR /srv/tieline
COPY --from=manifests /srv/tieline ./
RUN npx --yes pnpm@12 install --prod --frozen-lockfile --filter-prod "{${PARTS}}..." \
  && for part in packages/* services/*; do [ -d "$part/node_modules" ] || rm -r "$part"; done

FROM libraries AS sources
COPY packages /sources/packages
COPY services /sources/services
RUN cd /sources && for part in packages/* services/*; do [ -d "/srv/tieline/$part" ] || rm -r "$part"; done

FROM ${BASE}
LABEL org.opencontainers.image.title=Tieline org.opencontainers.image.licenses=Apache-2.0
WORKDIR /srv/tieline
ENV NODE_ENV=production \
  TIELINE_CONFIG=/etc/tieline/tieline.yaml \
  DATA_DIR=/data \
  METRICS_HOST=0.0.0.0 \
  METRICS_PORT=9100
RUN install --directory --owner=1000 --group=1000 --mode=0700 /data
COPY --from=libraries /srv/tieline ./
COPY --from=sources /sources ./
COPY LICENSE ./
# By number, so that a platform can see that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 8061 8070 8080 8090 8443 9100
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=10s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.METRICS_PORT + '/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The heap flags of tools/src/service-processes.ts. NODE_OPTIONS does not take the second.
ENTRYPOINT ["node", "--max-semi-space-size=8", "--heap-growing-percent=20"]
CMD ["--max-semi-space-size=16", "services/ingress/src/main.ts"]
