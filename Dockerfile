# One static binary in an empty image, run as nobody in particular: docker build -t multinic:0.1.0 .
FROM rust:1.95-alpine AS build
RUN apk add --no-cache build-base ca-certificates
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p multinic
# A folder for `multinic demo`, which writes its kubeconfig there; the operator writes no file.
RUN mkdir -p /image/etc/ssl/certs && mkdir -m 1777 /image/tmp \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ && cp target/release/multinic /image/multinic

FROM scratch
COPY --from=build /image/ /
USER 65532:65532
ENTRYPOINT ["/multinic"]
