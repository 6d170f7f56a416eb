FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libssl3 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/release/patuh /usr/local/bin/patuh
# Failed log-ins are counted here over all scans; keep it with -v patuh:/var/lib/patuh
RUN install -d -o nobody /var/lib/patuh
ENV PATUH_LEDGER=/var/lib/patuh
VOLUME /var/lib/patuh
USER nobody
ENTRYPOINT ["patuh"]
CMD ["--help"]
