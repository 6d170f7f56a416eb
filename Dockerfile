FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
COPY --from=build /src/target/release/patuh /usr/local/bin/patuh
USER nobody
ENTRYPOINT ["patuh"]
CMD ["--help"]
