# One static file on an empty system: `docker build -t coreroller .`
# The build stages run on the builder's own platform and cross-compile for the target's.

FROM --platform=$BUILDPLATFORM node:20-bookworm-slim AS frontend
WORKDIR /src/frontend
# The lock first: packages are installed again only when it changes.
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY frontend/ ./
RUN npm run build

FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
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
# The empty folders of the final image, so that the server's user owns them.
RUN mkdir -p /out/data /out/tmp

FROM scratch
# Roots for what the server calls: sign-in providers, mirrors, webhooks.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=65532:65532 /out/ /
USER 65532:65532
# The embedded database lives in ./data.
WORKDIR /
VOLUME /data
EXPOSE 8000
# The image has no shell and no curl: the program asks its own /healthz.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/coreroller", "health"]
ENTRYPOINT ["/coreroller"]
CMD ["serve"]
