# One static binary in an empty image, run as nobody in particular: docker build -t multinic:0.1.0 .
FROM rust:1.95-alpine AS build
RUN apk add --no-cache build-base cmake perl ca-certificates
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p multinic

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/target/release/multinic /multinic
USER 65532:65532
ENTRYPOINT ["/multinic"]
