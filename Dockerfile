# One static binary in an empty image: `docker build -t coreroller .`
# The build stages run on the build platform and cross-compile for the target platform.

FROM --platform=$BUILDPLATFORM node:20-bookworm-slim AS frontend
WORKDIR /src/frontend
# Copy the lock file first, so that packages are installed again only when it changes.
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY frontend/ ./
RUN npm run build
# The documentation, which vite's build would delete.
WORKDIR /src/docs/site
COPY docs/site/package.json docs/site/package-lock.json docs/site/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY docs/ /src/docs/
COPY graph/schema/ /src/graph/schema/
RUN npm run build

FROM --platform=$BUILDPLATFORM golang:1.26.11-bookworm AS build
WORKDIR /src
ENV CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false"
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
COPY --from=frontend /src/frontend/dist frontend/dist
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -ldflags "-s -w -X main.version=$VERSION" -o /out/coreroller ./cmd/coreroller
# The licence texts of all parts, which must be shipped with them.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    --mount=type=bind,from=frontend,source=/src/frontend/node_modules,target=/src/frontend/node_modules \
    --mount=type=bind,from=frontend,source=/src/docs/site/node_modules,target=/src/docs/site/node_modules \
    cd scripts/packaging && go build -o /tmp/inventory ./inventory && cd /src && \
    mkdir /out/licenses && cp LICENSE /out/licenses/ && \
    /tmp/inventory licenses /out/coreroller >/out/licenses/third-party-licenses
# Empty folders of the final image. With a read-only root file system both need a volume: SQLite sorts
# large results in /tmp.
RUN mkdir -p /out/data /out/tmp

FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="CoreRoller" \
      org.opencontainers.image.description="Update server that rolls out versions to fleets of machines" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
# Root certificates for HTTPS requests of the server.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# The program belongs to root, so that the server cannot change it.
COPY --from=build /out/coreroller /coreroller
COPY --from=build /out/licenses /licenses
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/tmp /tmp
USER 65532:65532
# The embedded database is in ./data.
WORKDIR /
VOLUME /data
EXPOSE 8000
# The image has no shell and no curl, so the program requests its own /healthz.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/coreroller", "health"]
ENTRYPOINT ["/coreroller"]
CMD ["serve"]
